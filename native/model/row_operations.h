// Loops over one row of F32 numbers, vectorized for the machine at hand (Highway). Same machine, same bytes.
#pragma once

#include <cstddef>

namespace signum {

// out = x / sqrt(mean(x^2) + epsilon) * gain; the sum is taken in F64. x, gain, out [n]; out may be x.
void rms_norm(const float* x, const float* gain, double epsilon, float* out, size_t n);

// out = (x - mean(x)) / sqrt(variance(x) + epsilon) * gain + bias; the sums are taken in F64. x, gain, bias,
// out [n]; out may be x.
void layer_norm(const float* x, const float* gain, const float* bias, double epsilon, float* out, size_t n);

// out = gate * sigmoid(gate) * up. [n]; out may be gate.
void silu_multiply(const float* gate, const float* up, float* out, size_t n);
// out = gelu(gate) * up with gelu(x) = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))). [n]; out may be
// gate.
void gelu_tanh_multiply(const float* gate, const float* up, float* out, size_t n);
// x = max(x, 0). [n]
void relu(float* x, size_t n);
// x = cap * tanh(x / cap). [n]
void soft_cap(float* x, float cap, size_t n);
// x = x * factor. [n]
void scale_row(float* x, float factor, size_t n);
// x += y. [n]
void add_row(float* x, const float* y, size_t n);

// Rotary position, halves convention: (x[i], x[i + half]) turned by the angle i. x [2 * half]; cosine, sine
// [half].
void rotate_halves(float* x, const float* cosine, const float* sine, size_t half);

// x[0, n) becomes exp(x - max) / sum, x[n, padded) becomes 0.
void softmax(float* x, size_t n, size_t padded);

// log(sum(exp(x))), the sum in F64. n >= 1. NaN when x holds NaN.
double log_sum_exp(const float* x, size_t n);

// sum(softmax(x) * (x - y)), the sums in F64. n >= 1. NaN when x or y is not finite.
double softmax_difference(const float* x, const float* y, size_t n);

}  // namespace signum
