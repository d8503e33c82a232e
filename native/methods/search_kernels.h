// The searches of BiLLM and ARB-LLM over one tile of the searched matrix T [columns][16]
// (docs/METHODS.md): for every candidate, the squared error of binarizing the tile, added to
// errors[candidate]. Rows that hold only zeros add nothing.
//
// A deviation of exactly zero is counted as if its sign were not zero: it changes a candidate's error by
// alpha^2 of one weight and cannot occur in a row unless a weight equals its group's mean to the last bit.
#pragma once

#include <cstddef>

namespace signum {

// Step 2: the first i columns salient, i = 1 .. up - 1, both sets binarized in two orders. errors [up].
void salient_count_errors(const float* tile, size_t columns, size_t up, double* errors);

// Step 3: columns of the tile split at |T| >= threshold, both groups binarized in one order. errors [count];
// thresholds ascending. With squared, T >= 0, and every error lacks the same sum of T^2.
void split_errors(const float* tile, size_t columns, const float* thresholds, size_t count, bool squared,
                  double* errors);

// The same whole errors, of the weights with |T| < below only; the others add nothing.
void split_errors_below(const float* tile, size_t columns, const float* thresholds, size_t count, float below,
                        double* errors);

// Column-group bitmap: the salient columns split at |T| >= threshold, both groups binarized in two orders.
// Weights with |T| >= below belong to neither and add nothing. errors [count].
void salient_split_errors(const float* tile, size_t columns, const float* thresholds, size_t count,
                          float below, double* errors);

// T = (W * scale_j)^2 for salience hessian (scale = 1 / U_jj up to a common power of two), |T| summed over
// the rows into column_sums [columns]. With squared false T = W.
void search_matrix(const float* weight, const float* scale, bool squared, size_t columns, float* tile,
                   double* column_sums);

}  // namespace signum
