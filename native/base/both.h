// Functions that kernels and the CPU share: SIGNUM_BOTH before them. Nothing in them may need more than F32
// or F64 arithmetic and <cmath>.
#pragma once

#ifdef __CUDACC__
#define SIGNUM_BOTH __host__ __device__
#else
#define SIGNUM_BOTH
#endif
