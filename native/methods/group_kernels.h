// BiLLM's final fit of one tile (docs/METHODS.md) and the values that the stored numbers of the grouped
// methods decode to. Columns [0, salient) of the tile are salient; of the others, |T| >= threshold is sparse.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signum {

struct TileMasks {
  const float* search;  // T [columns][16]
  size_t columns;
  size_t salient;
  float threshold;
  float salient_threshold;  // with a column-group bitmap
};

// Slots of the scalars as docs/FORMAT.md numbers them: mean [3][16] salient, sparse, concentrated; scale
// [4][16] salient first and second order, sparse, concentrated. Out: deviations whose sign (>= 0 is +) is the
// stored bit: first [columns][16], second [salient][16].
void billm_fit(const float* weight, TileMasks masks, float* mean, float* scale, float* first, float* second);

// value [columns][16] from stored means and scales, rounded step by step as FORMAT.md says. With G = 1 or 2
// salient groups: mean [G + 2][16], scale [2 G + 2][16] (salient: group * 2 + order).
void mean_values(TileMasks masks, size_t salient_groups, const float* mean, const float* scale,
                 const float* first, const float* second, float* value);

// ARB-RC with stored scales. Salient columns: row_scale slots [2 or 4][16] (group * 2 + order), column scales
// [slots][salient], signs [salient][16]; others: other_row [2][16], other_column [2][columns - salient], sign
// = the weight's.
void arb_rc_values(const float* weight, TileMasks masks, size_t salient_groups, const float* row_scale,
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
