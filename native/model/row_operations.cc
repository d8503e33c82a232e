#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/row_operations.cc"
#include <hwy/foreach_target.h>
// Highway wants the lines above first.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "math/finite.h"
#include "model/row_operations.h"

HWY_BEFORE_NAMESPACE();
namespace signum {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

// Elements added up in F32 lanes before they go into an F64 sum.
constexpr size_t kChunk = 512;

// The vector at p, of which `left` elements are there; the others are `fill`.
HWY_INLINE Vector load(Floats d, const float* p, size_t left, float fill) {
  if (left >= hn::Lanes(d)) return hn::LoadU(d, p);
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
  for (size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = i < left ? p[i] : fill;
  return hn::Load(d, lanes);
}

HWY_INLINE void store(Floats d, Vector v, float* p, size_t left) {
  if (left >= hn::Lanes(d)) return hn::StoreU(v, d, p);
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
  hn::Store(v, d, lanes);
  std::memcpy(p, lanes, left * sizeof(float));
}

// Sum over i of term(i), a vector of the elements from i on (0 beyond the end).
template <class Term>
HWY_INLINE double sum(Floats d, size_t n, const Term& term) {
  const size_t step = hn::Lanes(d);
  double total = 0;
  for (size_t first = 0; first < n; first += kChunk) {
    Vector lanes = hn::Zero(d);
    for (size_t i = first; i < std::min(n, first + kChunk); i += step) lanes = hn::Add(lanes, term(i));
    total += double(hn::GetLane(hn::SumOfLanes(d, lanes)));
  }
  return total;
}

HWY_INLINE float maximum(Floats d, const float* x, size_t n) {
  Vector largest = hn::Set(d, x[0]);
  for (size_t i = 0; i < n; i += hn::Lanes(d)) largest = hn::Max(largest, load(d, x + i, n - i, x[0]));
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

void rms_norm(const float* x, const float* gain, double epsilon, float* out, size_t n) {
  const Floats d;
  const double squares = sum(d, n, [&](size_t i) HWY_ATTR {
    const Vector v = load(d, x + i, n - i, 0.0f);
    return hn::Mul(v, v);
  });
  const Vector scale = hn::Set(d, float(1.0 / std::sqrt(squares / double(n) + epsilon)));
  for (size_t i = 0; i < n; i += hn::Lanes(d))
    store(d, hn::Mul(hn::Mul(load(d, x + i, n - i, 0.0f), scale), load(d, gain + i, n - i, 0.0f)), out + i,
          n - i);
}

void layer_norm(const float* x, const float* gain, const float* bias, double epsilon, float* out, size_t n) {
  const Floats d;
  const double total = sum(d, n, [&](size_t i) HWY_ATTR { return load(d, x + i, n - i, 0.0f); });
  const float mean = float(total / double(n));
  const Vector middle = hn::Set(d, mean);
  const double squares = sum(d, n, [&](size_t i) HWY_ATTR {
    const Vector v = hn::Sub(load(d, x + i, n - i, mean), middle);
    return hn::Mul(v, v);
  });
  const Vector scale = hn::Set(d, float(1.0 / std::sqrt(squares / double(n) + epsilon)));
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const size_t left = n - i;
    const Vector v = hn::Mul(hn::Sub(load(d, x + i, left, 0.0f), middle), scale);
    store(d, hn::Add(hn::Mul(v, load(d, gain + i, left, 0.0f)), load(d, bias + i, left, 0.0f)), out + i,
          left);
  }
}

// x / (1 + exp(-t)). exp is defined up to 104, and infinite from 89 on.
HWY_INLINE Vector times_sigmoid(Floats d, Vector x, Vector t) {
  const Vector e = hn::Exp(d, hn::Min(hn::Neg(t), hn::Set(d, 100.0f)));
  return hn::Div(x, hn::Add(hn::Set(d, 1.0f), e));
}

void silu_multiply(const float* gate, const float* up, float* out, size_t n) {
  const Floats d;
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const Vector g = load(d, gate + i, n - i, 0.0f), u = load(d, up + i, n - i, 0.0f);
    store(d, hn::Mul(times_sigmoid(d, g, g), u), out + i, n - i);
  }
}

// (1 + tanh(t)) / 2 is sigmoid(2 t), which does not cancel where t is far below 0.
void gelu_tanh_multiply(const float* gate, const float* up, float* out, size_t n) {
  const Floats d;
  const Vector cubic = hn::Set(d, 0.044715f), twice = hn::Set(d, 1.5957691216057308f);  // 2 sqrt(2 / pi)
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const Vector g = load(d, gate + i, n - i, 0.0f), u = load(d, up + i, n - i, 0.0f);
    const Vector t = hn::Mul(twice, hn::Add(g, hn::Mul(cubic, hn::Mul(g, hn::Mul(g, g)))));
    store(d, hn::Mul(times_sigmoid(d, g, t), u), out + i, n - i);
  }
}

void relu(float* x, size_t n) {
  const Floats d;
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const Vector v = load(d, x + i, n - i, 0.0f);
    store(d, hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v), x + i, n - i);  // a NaN stays
  }
}

void soft_cap(float* x, float cap, size_t n) {
  const Floats d;
  const Vector by = hn::Set(d, cap);
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const Vector v = load(d, x + i, n - i, 0.0f);
    const Vector capped = hn::Mul(by, hn::Tanh(d, hn::Div(v, by)));
    store(d, hn::IfThenElse(hn::IsNaN(v), v, capped), x + i, n - i);
  }
}

void scale_row(float* x, float factor, size_t n) {
  const Floats d;
  const Vector by = hn::Set(d, factor);
  for (size_t i = 0; i < n; i += hn::Lanes(d))
    store(d, hn::Mul(load(d, x + i, n - i, 0.0f), by), x + i, n - i);
}

void add_row(float* x, const float* y, size_t n) {
  const Floats d;
  for (size_t i = 0; i < n; i += hn::Lanes(d))
    store(d, hn::Add(load(d, x + i, n - i, 0.0f), load(d, y + i, n - i, 0.0f)), x + i, n - i);
}

void rotate_halves(float* x, const float* cosine, const float* sine, size_t half) {
  const Floats d;
  for (size_t i = 0; i < half; i += hn::Lanes(d)) {
    const size_t left = half - i;
    const Vector a = load(d, x + i, left, 0.0f), b = load(d, x + half + i, left, 0.0f);
    const Vector c = load(d, cosine + i, left, 0.0f), s = load(d, sine + i, left, 0.0f);
    store(d, hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), x + i, left);
    store(d, hn::Add(hn::Mul(b, c), hn::Mul(a, s)), x + half + i, left);
  }
}

void softmax(float* x, size_t n, size_t padded) {
  const Floats d;
  const Vector largest = hn::Set(d, maximum(d, x, n));
  const double total = sum(d, n, [&](size_t i) HWY_ATTR {
    const Vector e = hn::Exp(d, hn::Sub(load(d, x + i, n - i, -std::numeric_limits<float>::max()), largest));
    store(d, e, x + i, n - i);
    return e;
  });
  const Vector scale = hn::Set(d, float(1.0 / total));
  for (size_t i = 0; i < n; i += hn::Lanes(d))
    store(d, hn::Mul(load(d, x + i, n - i, 0.0f), scale), x + i, n - i);
  if (padded > n) std::memset(x + n, 0, (padded - n) * sizeof(float));
}

double log_sum_exp(const float* x, size_t n) {
  const Floats d;
  const float largest = maximum(d, x, n);
  const Vector shift = hn::Set(d, largest);
  const double total = sum(d, n, [&](size_t i) HWY_ATTR {
    return hn::Exp(d, hn::Sub(load(d, x + i, n - i, -std::numeric_limits<float>::max()), shift));
  });
  return double(largest) + std::log(total);
}

double softmax_difference(const float* x, const float* y, size_t n) {
  const Floats d;
  const Vector shift = hn::Set(d, maximum(d, x, n));
  const auto weight = [&](size_t i) HWY_ATTR {
    return hn::Exp(d, hn::Sub(load(d, x + i, n - i, -std::numeric_limits<float>::max()), shift));
  };
  const double total = sum(d, n, weight);
  const double weighted = sum(d, n, [&](size_t i) HWY_ATTR {
    return hn::Mul(weight(i), hn::Sub(load(d, x + i, n - i, 0.0f), load(d, y + i, n - i, 0.0f)));
  });
  return weighted / total;
}

}  // namespace HWY_NAMESPACE
}  // namespace signum
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(rms_norm);
HWY_EXPORT(layer_norm);
HWY_EXPORT(silu_multiply);
HWY_EXPORT(gelu_tanh_multiply);
HWY_EXPORT(relu);
HWY_EXPORT(soft_cap);
HWY_EXPORT(scale_row);
HWY_EXPORT(add_row);
HWY_EXPORT(rotate_halves);
HWY_EXPORT(softmax);
HWY_EXPORT(log_sum_exp);
HWY_EXPORT(softmax_difference);

void rms_norm(const float* x, const float* gain, double epsilon, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(rms_norm)(x, gain, epsilon, out, n);
}
void layer_norm(const float* x, const float* gain, const float* bias, double epsilon, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(layer_norm)(x, gain, bias, epsilon, out, n);
}
void gelu_tanh_multiply(const float* gate, const float* up, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(gelu_tanh_multiply)(gate, up, out, n);
}
void relu(float* x, size_t n) { HWY_DYNAMIC_DISPATCH(relu)(x, n); }
void soft_cap(float* x, float cap, size_t n) { HWY_DYNAMIC_DISPATCH(soft_cap)(x, cap, n); }
void scale_row(float* x, float factor, size_t n) { HWY_DYNAMIC_DISPATCH(scale_row)(x, factor, n); }
void add_row(float* x, const float* y, size_t n) { HWY_DYNAMIC_DISPATCH(add_row)(x, y, n); }
void silu_multiply(const float* gate, const float* up, float* out, size_t n) {
  HWY_DYNAMIC_DISPATCH(silu_multiply)(gate, up, out, n);
}
void rotate_halves(float* x, const float* cosine, const float* sine, size_t half) {
  HWY_DYNAMIC_DISPATCH(rotate_halves)(x, cosine, sine, half);
}
void softmax(float* x, size_t n, size_t padded) { HWY_DYNAMIC_DISPATCH(softmax)(x, n, padded); }
double log_sum_exp(const float* x, size_t n) {
  // Comparisons and exp need not carry a NaN on every target.
  if (!all_finite(x, n)) return std::numeric_limits<double>::quiet_NaN();
  return HWY_DYNAMIC_DISPATCH(log_sum_exp)(x, n);
}
double softmax_difference(const float* x, const float* y, size_t n) {
  if (!all_finite(x, n) || !all_finite(y, n)) return std::numeric_limits<double>::quiet_NaN();
  return HWY_DYNAMIC_DISPATCH(softmax_difference)(x, y, n);
}

}  // namespace signum
#endif  // HWY_ONCE
