// Step 3 of signum-rc on the card (methods/signum_block.h): row scales, then all column scales together; the
// signs stay.
#pragma once

#include "cuda/card.h"
#include "cuda/matrix.h"
#include "cuda/methods/signum_fit.h"

namespace signum::cuda {

// parts[k] [rows, width] out: the signs of plane k times its column scales, nothing beyond its columns.
void signed_columns(Device& device, const SignumScales& scales, const PlaneCounts& counts,
                    const uint8_t* codes, size_t width, float* const* parts);

// Row scales that minimize ||y - sum over the planes of r_k v_k||^2 for each row, ridge 1e-6 of the trace.
// y, v[k] [rows, width]
void refit_rows(Device& device, const PlaneCounts& counts, size_t rows, size_t width, const float* y,
                const float* const* v, const SignumScales& scales);

// The normal equations of the column scales and their solution; memory for all blocks of a linear.
class ColumnRefit {
 public:
  // most: columns that a block's planes have together at most.
  ColumnRefit(Card& card, size_t rows, size_t most);

  // A = (R_k^T R_l) o M and b from the signs, the row scales and y_back = Y U_b^-T [rows, width]; metric M
  // [width, width] = U_b^-1 U_b^-T.
  void system(const SignumScales& scales, const PlaneCounts& counts, const uint8_t* codes, size_t width,
              const float* y_back, const float* metric);
  // All column scales that are not zero, jointly, with a ridge. A system that cannot be solved leaves them as
  // they are.
  void solve(const SignumScales& scales, const PlaneCounts& counts);
  // cost out: ||Y - sum of scaled parts||^2 for the present column scales. y_square: ||Y||^2, on the card.
  void cost(const SignumScales& scales, const PlaneCounts& counts, const double* y_square, double* cost);

 private:
  Card& card_;
  size_t rows_, most_, bands_, side_bands_;
  Array<float> signs_, grams_;
  Array<double> sides_, a_, b_, small_, x_;
};

// sum[0] = plus[0] + parts[0] + ... in a fixed order; plus may be null.
void sum_parts(Device& device, const double* parts, size_t count, const double* plus, double* sum);
// row_square [rows] out: ||y||^2 of every row of y [rows, width].
void row_squares(Device& device, const float* y, size_t rows, size_t width, double* row_square);

}  // namespace signum::cuda
