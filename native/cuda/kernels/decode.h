// Packed linears to F32 on the card: the bits of methods/packed_linear.h's decode().
#pragma once

#include "cuda/kernels/device_packed.h"
#include "cuda/matrix.h"

namespace signum::cuda {

// [rows, columns] in the order of the inputs. linear: has passed check_view().
DeviceMatrix decode(Card& card, const PackedView& linear);
DeviceMatrix decode(Card& card, const DevicePacked& linear);
// Rows [first, first + count) of it to out [count, columns]; first: a multiple of 32.
void decode_rows(Device& device, const DevicePacked& linear, size_t first, size_t count, float* out);
// out [count, columns] = the rows whose numbers are in `rows` on the card: a packed embedding table.
void look_up(Device& device, const DevicePacked& table, const uint32_t* rows, size_t count, float* out);

}  // namespace signum::cuda
