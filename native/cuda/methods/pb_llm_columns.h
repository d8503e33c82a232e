// pb-llm's levels and columns (methods/pb_llm_kernels.h), and the salient weights in order of row, then
// column.
#pragma once

#include "cuda/methods/block_columns.h"
#include "cuda/methods/grid.h"

namespace signum::cuda {

// A linear and its salient weights.
struct PbLlmProblem {
  size_t rows, columns, group, groups;
  const uint8_t* salient;  // [rows, columns]: 0 or 1
};

// column_weight [columns] out: R_jj, or 1 without `hessian`; 0 in dead columns.
void salience_of_columns(Device& device, DeviceView<const float> r, const uint8_t* dead, bool hessian,
                         float* column_weight);

// mean, scale [rows, groups] out, as stored, of weight [rows, columns] with dead columns as zeros. Of the
// recipe: mean_rule, scale_type.
void pb_llm_levels(Device& device, const Recipe& recipe, const PbLlmProblem& problem, const float* weight,
                   const uint8_t* dead, float* mean, float* scale);

// One block that begins at column `start`. grids: one of every row.
void pb_llm_columns(Device& device, const Recipe& recipe, const PbLlmProblem& problem, size_t start,
                    const float* mean, const float* scale, const DeviceGrids& grids,
                    const BlockColumns& block);

// counts [rows] and starts [rows] out: how many salient weights each row has, and those before it.
void count_salient(Device& device, const PbLlmProblem& problem, unsigned* counts, unsigned* starts);
// columns, codes [salient weights] out: of each its column, and its code below its top bit. high, where it is
// there: bits of mask_high (methods/salient_mask.h) in zeroed words, with `zeros` a row and low_bits apart.
struct SalientOrder {
  const unsigned* starts;
  uint32_t* columns;
  uint8_t* codes;
  unsigned* high;
  size_t zeros;
  unsigned low_bits;
};
void order_salient(Device& device, const Recipe& recipe, const PbLlmProblem& problem, const uint8_t* codes,
                   const SalientOrder& out);

}  // namespace signum::cuda
