#include "cuda/model/hessians.h"

namespace signum::cuda {
namespace {

DeviceMatrix zeros(Device& device, size_t rows, size_t columns) {
  DeviceMatrix made(device, rows, columns, "a Hessian");
  device.fill(made.data(), 0, made.size() * sizeof(float));
  return made;
}

// Whether all that was shown to it is finite; asked once.
class FiniteCheck {
 public:
  explicit FiniteCheck(Device& device) : device_(device), finite_(device, 1, "a check") {
    finite_.fill(0xFF);
  }
  void show(DeviceView<const float> x) { check_finite(device_, x, finite_.data()); }
  bool passed() const { return finite_.download()[0] != 0; }

 private:
  Device& device_;
  Array<uint32_t> finite_;
};

Fault input_fault(const DeviceLayer& layer, LinearInput input) {
  return {input_not_finite(layer.config(), layer.layer(), input)};
}

// The sum of squares that calibration adds up -> the mean over sequences, twice.
void scale_sum(Device& device, DeviceMatrix& sum, size_t sequences) {
  scale_rows(device, sum.view(), 2.0f / float(sequences));
}

// What one batch needs of a layer: its input, and the residual stream that the input's linears add to (empty:
// they do not add as they are).
struct Seen {
  DeviceMatrix input, stream;
};

DeviceMatrix copy_of(Device& device, DeviceView<const float> x) {
  DeviceMatrix made(device, x.rows, x.columns, "the inputs of a layer");
  copy_rows(device, x, made.view());
  return made;
}

Seen look(Card card, const DeviceLayer& layer, DeviceView<const float> batch, size_t length,
          LinearInput input, BlockBuffers& buffers) {
  Seen seen;
  layer.forward(
      card, batch, length, {}, buffers,
      [&](LinearInput which, DeviceView<const float> x, DeviceView<const float> stream) {
        if (which != input) return;
        seen.input = copy_of(card.device, x);
        if (stream.data) seen.stream = copy_of(card.device, stream);
      },
      input);
  return seen;
}

// Tells of the sequences before the batch at hand, which the card has done.
void tell(const SequenceProgress& progress, size_t done, size_t total) {
  if (progress && done > 0) progress(done, total);
}

}  // namespace

DeviceHessians collect_hessians(Card card, const DeviceLayer& layer, DeviceActivations& inputs,
                                BlockBuffers& buffers, const SequenceProgress& progress) {
  DeviceHessians hessians;
  const DeviceSink add = [&](LinearInput input, DeviceView<const float> x, DeviceView<const float>) {
    DeviceMatrix& sum = hessians.of(input);
    if (!sum) sum = zeros(card.device, x.columns, x.columns);
    card.blas.add_gram(1.0f, x, sum.view());
  };
  BatchStream batches(inputs, BatchStream::Read);
  while (batches.next()) {
    tell(progress, batches.first(), inputs.sequences());
    layer.forward(card, batches.view(), inputs.length(), {}, buffers, add);
  }
  batches.finish();
  for (size_t which = 0; which < kLinearInputs; ++which) {
    DeviceMatrix& sum = hessians.by_input[which];
    scale_sum(card.device, sum, inputs.sequences());
    FiniteCheck check(card.device);
    check.show(sum.view());
    if (!check.passed()) throw input_fault(layer, LinearInput(which));
  }
  tell(progress, inputs.sequences(), inputs.sequences());
  return hessians;
}

void advance(Card card, const DeviceLayer& layer, DeviceActivations& activations, BlockBuffers& buffers,
             const SequenceProgress& progress) {
  FiniteCheck check(card.device);
  BatchStream batches(activations, BatchStream::Keep);
  while (batches.next()) {
    tell(progress, batches.first(), activations.sequences());
    layer.forward(card, batches.view(), activations.length(), batches.view(), buffers);
    check.show(batches.view());
  }
  batches.finish();
  if (!check.passed()) throw Fault{output_not_finite(layer.layer())};
  tell(progress, activations.sequences(), activations.sequences());
}

DevicePairedInput collect_paired(Card card, const DevicePairedLayer& layer, LinearInput input,
                                 BlockBuffers& buffers, const SequenceProgress& progress) {
  DevicePairedInput sums;
  const size_t sequences = layer.quantized_inputs.sequences(), length = layer.quantized_inputs.length();
  BatchStream now(layer.quantized_inputs, BatchStream::Read);
  BatchStream before(layer.original_inputs, BatchStream::Read);
  while (now.next() && before.next()) {
    tell(progress, now.first(), sequences);
    const Seen is = look(card, layer.quantized, now.view(), length, input, buffers);
    const Seen was = look(card, layer.original, before.view(), length, input, buffers);
    const size_t width = is.input.columns();
    if (!sums.hessian) {
      sums.hessian = zeros(card.device, width, width);
      sums.cross = zeros(card.device, width, width);
      if (is.stream) sums.residual = zeros(card.device, is.stream.columns(), width);
    }
    card.blas.add_gram(1.0f, is.input.view(), sums.hessian.view());
    subtract_rows(card.device, was.input.view(), is.input.view());
    card.blas.add_products(1.0f, was.input.view(), is.input.view(), sums.cross.view());
    if (is.stream) {
      subtract_rows(card.device, was.stream.view(), is.stream.view());
      card.blas.add_products(1.0f, was.stream.view(), is.input.view(), sums.residual.view());
    }
  }
  now.finish();
  before.finish();
  FiniteCheck check(card.device);
  for (DeviceMatrix* sum : {&sums.hessian, &sums.cross, &sums.residual}) {
    if (!*sum) continue;
    scale_sum(card.device, *sum, sequences);
    check.show(sum->view());
  }
  if (!check.passed()) throw input_fault(layer.quantized, input);
  tell(progress, sequences, sequences);
  return sums;
}

}  // namespace signum::cuda
