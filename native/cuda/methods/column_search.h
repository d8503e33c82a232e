// Steps 1 and 2 of BiLLM's search on the card (docs/METHODS.md): the columns by score, and how many of them
// are salient. Mirrors methods/mask_search.h.
#pragma once

#include "cuda/methods/block_tiles.h"
#include "cuda/runtime.h"
#include "methods/quantize.h"

namespace signum::cuda {

// What the search of a block reads and writes, all on the card. Tiles are of the block's shape.
struct ColumnSearch {
  BlockShape shape;
  DeviceView<const float> weight;  // compensated [rows, width]
  DeviceView<const float> r;       // [width, width], 1 / U_jj on the diagonal
  float* unordered_weight;         // tiles, columns as they come; room only
  float* unordered_search;
  float* ordered_weight;  // tiles, columns in `order`: out
  float* ordered_search;  // T, or the weights with search_space weights: out
  double* partial;        // [tiles][256], room only
  uint32_t* order;        // [width]: out
  BlockChoice* choice;    // salient: out
  uint8_t* salient;       // [width]: 1 for a salient column: out
};

void search_columns(Device& device, const Recipe& recipe, const ColumnSearch& search);

// gram [width, width] = half of h, columns and rows in `order`.
void order_gram(Device& device, DeviceView<const float> h, const uint32_t* order, float* gram);

}  // namespace signum::cuda
