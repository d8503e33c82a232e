// What is used of cuBLAS's and cuSOLVER's interfaces, as their documentation gives it: both are loaded at run
// time, and their headers need not be there.
#pragma once

#include <cstddef>

namespace signum::cuda::cublas {

using Handle = struct HandleOfCublas*;
using SolverHandle = struct HandleOfCusolver*;
using Status = int;                                                          // 0: done
inline constexpr int kNotTransposed = 0, kTransposed = 1;                    // cublasOperation_t
inline constexpr int kUpper = 1;                                             // cublasFillMode_t
inline constexpr int kF32 = 0, kF64 = 1, kF16 = 2, kBF16 = 14;               // cudaDataType_t
inline constexpr int kComputeF32 = 68, kComputeF64 = 70, kComputeTf32 = 77;  // cublasComputeType_t
inline constexpr int kAnyAlgorithm = -1;      // cublasGemmAlgo_t: CUBLAS_GEMM_DEFAULT
inline constexpr int kAtomicsNotAllowed = 0;  // cublasAtomicsMode_t
// cublasMath_t: CUBLAS_DEFAULT_MATH, with sums of products of 16 bits in F32 throughout.
inline constexpr int kMathWithoutReducedSums = 16;

using Create = Status(Handle*);
using Destroy = Status(Handle);
using SetStream = Status(Handle, void* stream);
using SetWorkspace = Status(Handle, void*, size_t);
using SetMode = Status(Handle, int);
using GemmEx = Status(Handle, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a,
                      int a_type, int lda, const void* b, int b_type, int ldb, const void* beta, void* c,
                      int c_type, int ldc, int compute, int algorithm);
using GemmStridedBatchedEx = Status(Handle, int op_a, int op_b, int m, int n, int k, const void* alpha,
                                    const void* a, int a_type, int lda, long long a_step, const void* b,
                                    int b_type, int ldb, long long b_step, const void* beta, void* c,
                                    int c_type, int ldc, long long c_step, int count, int compute,
                                    int algorithm);
using Ssyrk = Status(Handle, int fill, int op, int n, int k, const float* alpha, const float* a, int lda,
                     const float* beta, float* c, int ldc);

using SolverCreate = Status(SolverHandle*);
using SolverDestroy = Status(SolverHandle);
using SolverSetStream = Status(SolverHandle, void* stream);
template <class T>
using PotrfBufferSize = Status(SolverHandle, int fill, int n, T* a, int lda, int* size);
template <class T>
using Potrf = Status(SolverHandle, int fill, int n, T* a, int lda, T* room, int size, int* info);

}  // namespace signum::cuda::cublas
