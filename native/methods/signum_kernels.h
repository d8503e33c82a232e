// signum-rc's loops over one panel of 64 rows stored as [columns][64] (docs/METHODS.md).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix.h"

namespace signum {

inline constexpr size_t kPanelRows = 64;
inline constexpr size_t kPlanes = 3;

// Scales of a panel of a block: plane k has column scales [columns[k]] and row scales [64]. columns[0] is the
// block's width; a later plane has no more columns than the one before it.
struct PanelScales {
  size_t columns[kPlanes];
  const float* column[kPlanes];
  const float* row[kPlanes];

  PanelScales panel(size_t p) const {  // of scales of whole blocks: row scales of panel p
    PanelScales out = *this;
    for (const float*& r : out.row) r += p * kPanelRows;
    return out;
  }
};

// Step 2: nearest of +-r1 c1 (+- r2 c2 (+- r3 c3)) column by column, ties to the first of {---, --+, -+-,
// -++,
// +--, ...}; each error goes on to the later columns. weight [columns][64] is destroyed. codes [columns][64]
// out: bit k is the sign of plane k. Returns ||E||^2 of the panel.
double assign_panel(float* weight, const PanelScales& scales, ConstView u, const float* r_diagonal,
                    uint8_t* codes);

// signs [columns][64] = +-factor(row or column). With by_row the factor is row[r], else column[j]. bit: which
// bit of the codes.
void signed_panel(const uint8_t* codes, int bit, size_t columns, bool by_row, const float* factor,
                  float* out);

// Step 3, rows: minimizes ||y - sum over the planes of r_k v_k||^2 for each row; y, v_k [columns][64], r_k
// [64] out. Ridge 1e-6 of the trace.
void refit_rows(const float* y, const float* const* v, size_t planes, size_t columns, float* const* r);

// sums[j] += sum over rows of a[j][r] * b[j][r].
void add_column_products(const float* a, const float* b, size_t columns, double* sums);

// What stored scales and codes decode to: values [columns][64].
void panel_values(const PanelScales& scales, const uint8_t* codes, float* values);

// masks[j]: bit r = the given bit of the code of row r, for 16 rows. codes [columns][64], from the first of
// the rows on.
void code_masks(const uint8_t* codes, int bit, size_t columns, uint16_t* masks);

}  // namespace signum
