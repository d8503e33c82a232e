// BiLLM's final fit of one tile (docs/METHODS.md) and the values that the stored numbers of the grouped
// methods decode to. Columns [0, salient) of the tile are salient.
#pragma once

#include <cstddef>
#include <cstdint>

#include "methods/splits.h"

namespace signum {

struct TileMasks {
  const float* search;  // T [columns][16]
  size_t columns;
  size_t salient;
  Splits salient_splits;  // none without a column-group bitmap
  Splits splits;          // of the other columns: one or more
};

// Slots of the scalars as docs/FORMAT.md numbers them: mean [3][16] salient, sparse, concentrated; scale
// [4][16] salient first and second order, sparse, concentrated. Out: deviations whose sign (>= 0 is +) is the
// stored bit: first [columns][16], second [salient][16].
void billm_fit(const float* weight, const TileMasks& masks, float* mean, float* scale, float* first,
               float* second);

// value [columns][16] from stored means and scales, rounded step by step as FORMAT.md says. With G salient
// groups and P others: mean [G + P][16], scale [2 G + P][16] (salient: group * 2 + order).
void mean_values(const TileMasks& masks, const float* mean, const float* scale, const float* first,
                 const float* second, float* value);

// ARB-RC with stored scales. Salient columns: row_scale slots [2 G][16] (group * 2 + order), column scales
// [slots][salient], signs [salient][16]; others: other_row [P][16], other_column [P][columns - salient], sign
// = the weight's.
void arb_rc_values(const float* weight, const TileMasks& masks, const float* row_scale,
                   const float* column_scale, const float* sign1, const float* sign2, const float* other_row,
                   const float* other_column, float* value);

// error [columns][16] = (weight - value) * r_diagonal[column].
void scaled_difference(const float* weight, const float* value, const float* r_diagonal, size_t columns,
                       float* error);

// masks[place[j]]: bit r = row r of tile column j is at least `least`; of |x| with absolute. values
// [columns][16].
void row_masks(const float* values, size_t columns, bool absolute, float least, const uint32_t* place,
               uint16_t* masks);

}  // namespace signum
