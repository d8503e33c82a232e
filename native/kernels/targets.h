// To be included before Highway: kernels of packed products exist for AVX-512 with VBMI and VNNI as well,
// which look up bytes.
#pragma once

#if defined(__x86_64__)
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#define HWY_WANT_AVX3_DL
#endif
