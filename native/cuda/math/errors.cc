#include "cuda/math/errors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda/math/dot.h"

namespace signum::cuda {
namespace {

constexpr size_t kBlock = 512;
constexpr const char* kWhat = "a linear's errors";

// Inner products that are summed when all of them are there.
class Dots {
 public:
  Dots(Device& device, size_t count)
      : device_(device), parts_(device, count * kDotParts, kWhat), weights_(count) {}

  void put(double weight, DeviceView<const float> a, DeviceView<const float> b) {
    dot(device_, a, b, parts_.data() + used_ * kDotParts);
    weights_[used_++] = weight;
  }
  double total() const {
    const std::vector<double> parts = parts_.download();
    double total = 0;
    for (size_t i = 0; i < used_; ++i) {
      double sum = 0;
      for (size_t p = 0; p < kDotParts; ++p) sum += parts[i * kDotParts + p];
      total += weights_[i] * sum;
    }
    return total;
  }

 private:
  Device& device_;
  Array<double> parts_;
  std::vector<double> weights_;
  size_t used_ = 0;
};

double square(Device& device, DeviceView<const float> a) {
  Dots dots(device, 1);
  dots.put(1, a, a);
  return dots.total();
}

// tr(D H D^T): block columns left to right, each off-diagonal block once.
double quadratic(Card& card, DeviceView<const float> d, DeviceView<const float> h) {
  const size_t n = d.columns;
  Dots dots(card.device, 2 * ((n + kBlock - 1) / kBlock));
  const DeviceMatrix buffer(card.device, d.rows, std::min(kBlock, n), kWhat);
  const auto multiply = [&](DeviceView<const float> a, DeviceView<const float> b, DeviceView<float> c) {
    card.blas.gemm(false, false, a.rows, b.columns, a.columns, 1.0f, a.data, a.stride, b.data, b.stride, 0,
                   c.data, c.stride);
  };
  for (size_t s = 0; s < n; s += kBlock) {
    const size_t width = std::min(kBlock, n - s);
    const DeviceView<float> product = buffer.view().block(0, 0, d.rows, width);
    const auto here = d.block(0, s, d.rows, width);
    multiply(here, h.block(s, s, width, width), product);
    dots.put(1, here, product);
    if (s == 0) continue;
    multiply(d.block(0, 0, d.rows, s), h.block(0, s, s, width), product);
    dots.put(2, here, product);
  }
  return dots.total();
}

// A layer of zeros quantized to zeros has error 0; to anything else, infinity would say nothing: 1.
double ratio(double part, double whole) { return whole > 0 ? part / whole : part > 0 ? 1.0 : 0.0; }

}  // namespace

double output_power(Card& card, const DeviceMatrix& weight, const DeviceMatrix& hessian) {
  return quadratic(card, weight.view(), hessian.view());
}

LinearErrors linear_errors(Card& card, const DeviceMatrix& weight, const DeviceMatrix& decoded,
                           const DeviceMatrix* hessian, std::optional<double> power) {
  const DeviceMatrix difference(card.device, weight.rows(), weight.columns(), kWhat);
  subtract(card.device, weight.view(), decoded.view(), difference.view());
  LinearErrors errors;
  errors.weight =
      std::sqrt(ratio(square(card.device, difference.view()), square(card.device, weight.view())));
  errors.output = std::numeric_limits<double>::quiet_NaN();
  if (hessian)
    errors.output = std::sqrt(ratio(std::max(0.0, quadratic(card, difference.view(), hessian->view())),
                                    power ? *power : output_power(card, weight, *hessian)));
  return errors;
}

}  // namespace signum::cuda
