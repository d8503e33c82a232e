// One linear of one size: what a method takes, and its parts.
#pragma once

#include <map>

#include "bench/method_rows.h"
#include "bench/synthetic.h"

namespace signum {
class ThreadPool;
}

namespace signum::bench {

struct Timing {
  double factor = 0;        // seconds; 0 where the method needs none
  double compensation = 0;  // the products that pass errors on, by themselves
  double quantize = 0;      // everything after the factor, compensation included
  double peak_memory_mb = 0;

  double total() const { return factor + quantize; }
  // What is left of the method without the parts that grow faster than the number of weights.
  double search() const { return quantize - compensation; }
};

class LinearBench {
 public:
  LinearBench(size_t rows, size_t columns, int repeat, ThreadPool& pool);

  size_t rows() const { return linear_.weight.rows(); }
  size_t columns() const { return linear_.weight.columns(); }
  // Medians. A factor is made anew `repeat` times for each set of options, and then shared by the methods.
  Timing time(const Recipe& recipe);

 private:
  struct Factored {
    Factor factor;
    double seconds = 0;
    std::map<size_t, double> compensation;  // by block size
  };
  Factored& factored(const FactorOptions& options);
  double compensation(Factored& made, size_t blocksize);

  SyntheticLinear linear_;
  int repeat_;
  ThreadPool& pool_;
  std::map<std::pair<bool, size_t>, Factored> factors_;  // by order and kept blocks
};

}  // namespace signum::bench
