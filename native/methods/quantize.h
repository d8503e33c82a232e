// Turning one linear's weights into a PackedLinear: the only entry to the methods.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "math/factor.h"
#include "methods/packed_linear.h"

namespace signum {

class ThreadPool;

enum class Salience : uint8_t { Hessian, Magnitude };
enum class SearchSpace : uint8_t { Saliency, Weights };
enum class StepRule : uint8_t { Max, Search, Hessian };
enum class MeanRule : uint8_t { Published, LeastSquares };

// A method with all its parameters, resolved. Which ones a method uses: docs/PROTOCOL.md.
struct Recipe {
  Method method = Method::Rtn;
  DType scale_type = DType::F16;
  size_t blocksize = 128;  // 32 to 256
  double damping = 0.01;   // share of mean(diag H), > 0
  Salience salience = Salience::Hessian;
  SearchSpace search_space = SearchSpace::Saliency;  // what the searches binarize: T, or the weights
  size_t max_salient = 50;                           // columns per block that the search may reach, up
  bool column_group_bitmap = true;
  size_t splits = 1;  // 1 to 3, num_p
  int iterations = 15;
  int bits = 2;     // of a code; pb-llm: of a salient weight
  long group = -1;  // -1: the whole row
  bool symmetric = false;
  bool clip_search = false;
  bool descending_order = false;  // order = hessian
  double second_plane = 1.0;      // share of columns with two signs
  double third_plane = 0;         // share with three, <= second_plane
  bool column_scales = true;
  int refits = 4;
  double correction = 0;  // share of what was lost before the linear that it makes good, 0 to 1
  StepRule step_rule = StepRule::Search;
  double salient_share = 0.1;  // of the weights
  MeanRule mean_rule = MeanRule::Published;
  bool propagation = false;

  // Columns of a group in a matrix of this width, 1 to columns.
  size_t group_columns(size_t columns) const {
    return group < 0 ? columns : std::min(columns, size_t(group));
  }
};

// Method and parameters from JSON text {"method":..,"parameters":{..}}; every key must be there and in range
// (recipe_invalid).
Result<Recipe> recipe_from_json(const std::string& text);

// Whether the method needs a Hessian with these parameters: rtn never does, fdb with step_rule hessian or
// propagation.
bool needs_hessian(const Recipe& recipe);
FactorOptions factor_options(const Recipe& recipe);

// weight [rows, columns] is consumed. factor: of the linear's input, made with factor_options(recipe); null
// only where needs_hessian is false.
Result<PackedLinear> quantize(const Recipe& recipe, Matrix weight, const Factor* factor, ThreadPool& pool);

// What quantize() refuses, on the CPU as on a card: before it begins (finite: no weight is NaN or infinite;
// columns_factored: columns of the factor, 0 without one) and when it is done.
Status check_problem(const Recipe& recipe, size_t rows, size_t columns, bool finite, size_t columns_factored);
Status check_scales(const PackedLinear& linear);

// weight: ||W - Q||_F / ||W||_F. output: sqrt(tr((W-Q) H (W-Q)^T) / tr(W H W^T)), the relative size of the
// change in the outputs.
struct LinearErrors {
  double weight = 0;
  double output = 0;  // NaN when hessian is null
};
// tr(W H W^T), F64.
double output_power(const Matrix& weight, const Matrix& hessian, ThreadPool& pool);
// power: output_power(weight, hessian), where it is known; it is half of the work.
LinearErrors linear_errors(const Matrix& weight, const Matrix& decoded, const Matrix* hessian,
                           ThreadPool& pool, std::optional<double> power = {});

}  // namespace signum
