// signum-rc's loops over one panel of 64 rows stored as [columns][64] (docs/METHODS.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix.h"

namespace signum {

inline constexpr size_t kPanelRows = 64;

// A block of rows x columns scales: column scales c1 [columns], c2 [second]; row scales r1, r2 [64] of the
// panel.
struct PanelScales {
  size_t columns;
  size_t second;  // columns with a second plane
  const float* c1;
  const float* c2;
};

// Step 2: nearest of +-r1 c1 (+- r2 c2) column by column, ties to the first of {--, -+, +-, ++}; each error
// goes on to the later columns. weight [columns][64] is destroyed. codes [columns][64] out: bit 0 first sign,
// bit 1 second. Returns ||E||^2 of the panel.
double assign_panel(float* weight, PanelScales scales, const float* r1, const float* r2, ConstView u,
                    const float* r_diagonal, uint8_t* codes);

// signs [columns][64] = +-factor(row or column). With by_row the factor is row[r], else column[j]. bit: which
// bit of the codes.
void signed_panel(const uint8_t* codes, int bit, size_t columns, bool by_row, const float* factor,
                  float* out);

// Step 3, rows: minimizes ||y - r1 v1 - r2 v2||^2 for each row; y, v1, v2 [columns][64]; v2 null: one plane.
// Ridge 1e-6 of the trace.
void refit_rows(const float* y, const float* v1, const float* v2, size_t columns, float* r1, float* r2);

// sums[j] += sum over rows of a[j][r] * b[j][r].
void add_column_products(const float* a, const float* b, size_t columns, double* sums);

// What stored scales and codes decode to: values [columns][64].
void panel_values(PanelScales scales, const float* r1, const float* r2, const uint8_t* codes, float* values);

// masks[j]: bit r = the given bit of the code of row r, for 16 rows. codes [columns][64], from the first of
// the rows on.
void code_masks(const uint8_t* codes, int bit, size_t columns, uint16_t* masks);

}  // namespace signum
