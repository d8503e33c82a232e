// Hessians of a decoder layer's linear inputs, made and kept on the card (calibrate/hessian.h,
// calibrate/paired.h).
#pragma once

#include <array>

#include "calibrate/hessian.h"
#include "cuda/model/activations.h"
#include "cuda/model/device_layer.h"

namespace signum::cuda {

// As LayerHessians.
struct DeviceHessians {
  std::array<DeviceMatrix, kLinearInputs> by_input;

  const DeviceMatrix& of(LinearInput input) const { return by_input[size_t(input)]; }
  DeviceMatrix& of(LinearInput input) { return by_input[size_t(input)]; }
};

// As on the CPU: the layer as it is, activations unchanged; plain sums, scaled by 2 / sequences once at the
// end. progress is told what the card has done but for the batch at hand. Fault calibration_not_finite.
DeviceHessians collect_hessians(Card card, const DeviceLayer& layer, DeviceActivations& inputs,
                                BlockBuffers& buffers, const SequenceProgress& progress = {});

// Replaces the activations by the layer's outputs. Fault calibration_not_finite.
void advance(Card card, const DeviceLayer& layer, DeviceActivations& activations, BlockBuffers& buffers,
             const SequenceProgress& progress = {});

// As PairedLayer.
struct DevicePairedLayer {
  const DeviceLayer& original;
  DeviceActivations& original_inputs;
  const DeviceLayer& quantized;
  DeviceActivations& quantized_inputs;
};
// As PairedInput; residual empty where no outputs are added to a stream.
struct DevicePairedInput {
  DeviceMatrix hessian, cross, residual;
};
// Fault calibration_not_finite.
DevicePairedInput collect_paired(Card card, const DevicePairedLayer& layer, LinearInput input,
                                 BlockBuffers& buffers, const SequenceProgress& progress = {});

}  // namespace signum::cuda
