#include "cuda/methods/propagation.h"
#include "cuda/methods/signum_fit.h"

namespace signum::cuda {
namespace {

// The nearest value so far, its distance from w and its code.
struct Nearest {
  float w, distance, value;
  unsigned code;

  __device__ void offer(float v, unsigned its_code) {
    const float d = fabsf(w - v);
    if (!(d < distance)) return;
    distance = d;
    value = v;
    code = its_code;
  }
  __device__ void offer_two(float v, float third, unsigned its_code) {  // v -+ third
    offer(v - third, its_code);
    offer(v + third, its_code | 4);
  }
};

struct SignumRule {
  SignumScales scales;
  PlaneCounts counts;
  double* row_cost;

  struct Row {
    size_t row;
    float scale[kPlanes], cost;
  };

  __device__ Row begin(size_t row) const {
    Row out{row, {}, 0};
    for (unsigned k = 0; k < counts.planes(); ++k) out.scale[k] = scales.row_of(k)[row];
    return out;
  }
  template <unsigned kSlots>
  __device__ void reach(Row&, unsigned, unsigned, const float (&)[kSlots]) const {}
  __device__ float value(const Row& row, unsigned j, float w, unsigned& code) const {
    const float p = row.scale[0] * scales.column_of(0)[j];
    if (j >= counts.of[1]) {
      const bool plus = fabsf(w - p) < fabsf(w + p);
      code = plus;
      return plus ? p : -p;
    }
    const float q = row.scale[1] * scales.column_of(1)[j], sum = p + q, difference = p - q;
    Nearest nearest{w, 0, 0, 0};
    if (j < counts.of[2]) {
      const float third = row.scale[2] * scales.column_of(2)[j];
      nearest.value = -sum - third;
      nearest.distance = fabsf(w - nearest.value);
      nearest.offer(third - sum, 4);
      nearest.offer_two(-difference, third, 2);
      nearest.offer_two(difference, third, 1);
      nearest.offer_two(sum, third, 3);
    } else {
      nearest.value = -sum;
      nearest.distance = fabsf(w + sum);
      nearest.offer(-difference, 2);
      nearest.offer(difference, 1);
      nearest.offer(sum, 3);
    }
    code = nearest.code;
    return nearest.value;
  }
  __device__ void add(Row& row, float error) const { row.cost = fmaf(error, error, row.cost); }
  __device__ void end(const Row& row) const {
    if (threadIdx.x % 32 == 0) row_cost[row.row] = double(row.cost);
  }
};

}  // namespace

void signum_assign(Device& device, const SignumScales& scales, const PlaneCounts& counts,
                   const BlockColumns& block, double* row_cost) {
  propagate(device, SignumRule{scales, counts, row_cost}, block);
}

}  // namespace signum::cuda
