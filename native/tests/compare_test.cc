// The protocol of llama.cpp, and two models side by side, against plain F64 sums over the logits of both.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/pool.h"
#include "evaluate/evaluate.h"
#include "evaluate/logits.h"
#include "tests/naive_forward.h"
#include "tests/opened_model.h"

using signum::Evaluation;
using signum::EvaluationOptions;
using signum::Matrix;
using signum::Model;
using signum::Protocol;
using signum::ThreadPool;
using signum::WindowOptions;

namespace {

// A model, and the same with noise on its weights, in two folders.
struct Pair {
  TinyModel tiny = random_tiny_model(71), noisy = tiny;
  TemporaryFolder folder;
  std::shared_ptr<const Model> reference, model;

  explicit Pair(float noise) {
    std::mt19937 source(72);
    for (auto& [name, tensor] : noisy.tensors)
      for (float& value : tensor.values) value += noise * (float(source()) / 2147483648.0f - 1.0f);
    reference = opened(tiny, folder / "a");
    model = opened(noisy, folder / "b");
  }
};

Evaluation evaluated(const Model& model, const Model* reference, const std::vector<uint32_t>& tokens,
                     const WindowOptions& windows, size_t threads = 2) {
  ThreadPool pool(threads);
  EvaluationOptions options;
  options.windows = windows;
  auto result = signum::evaluate(model, reference, tokens, options, pool);
  REQUIRE(result.ok());
  return std::move(result).value();
}

std::vector<double> log_probabilities(const double* logits, size_t n) {
  double total = 0;
  for (size_t i = 0; i < n; ++i) total += std::exp(logits[i]);
  std::vector<double> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = logits[i] - std::log(total);
  return values;
}

// What the tool prints, summed up as it does: sums and sums of squares over all targets.
struct Sums {
  double count = 0, nll = 0, nll2 = 0, base = 0, base2 = 0, both = 0, kld = 0, kld2 = 0;
  double p = 0, p2 = 0, p4 = 0, same = 0;
  std::vector<double> klds, ps;

  static double error(double sum, double sum2, double n) {
    return std::sqrt((sum2 / n - sum / n * (sum / n)) / (n - 1));
  }
};

// logits of both models for every window, from the `logits` command's own function.
Sums naive_sums(const Model& model, const Model& reference, const std::vector<uint32_t>& tokens,
                size_t window, size_t first, std::optional<uint32_t> bos) {
  ThreadPool pool(2);
  Sums sums;
  for (size_t start = 0; start + window <= tokens.size(); start += window) {
    std::vector<uint32_t> read(tokens.begin() + long(start), tokens.begin() + long(start + window));
    if (bos) read[0] = *bos;
    const auto a = signum::logits(model, read, pool), b = signum::logits(reference, read, pool);
    REQUIRE(a.ok());
    REQUIRE(b.ok());
    const size_t n = a.value().columns();
    for (size_t t = first; t + 1 < window; ++t) {
      const std::vector<double> x(a.value().row(t), a.value().row(t) + n);
      const std::vector<double> y(b.value().row(t), b.value().row(t) + n);
      const auto p = log_probabilities(x.data(), n), q = log_probabilities(y.data(), n);
      const double nll = -p[read[t + 1]], base = -q[read[t + 1]];
      double kld = 0;
      for (size_t i = 0; i < n; ++i) kld += std::exp(q[i]) * (q[i] - p[i]);
      const double delta = std::exp(-nll) - std::exp(-base);
      const auto top = [](const std::vector<double>& row) {
        return std::max_element(row.begin(), row.end()) - row.begin();
      };
      ++sums.count;
      sums.nll += nll, sums.nll2 += nll * nll;
      sums.base += base, sums.base2 += base * base, sums.both += nll * base;
      sums.kld += kld, sums.kld2 += kld * kld;
      sums.p += delta, sums.p2 += delta * delta, sums.p4 += delta * delta * delta * delta;
      sums.same += top(p) == top(q);
      sums.klds.push_back(kld);
      sums.ps.push_back(delta);
    }
  }
  std::sort(sums.klds.begin(), sums.klds.end());
  std::sort(sums.ps.begin(), sums.ps.end());
  return sums;
}

double percentile(const std::vector<double>& sorted, double fraction) {
  const double at = fraction * double(sorted.size() - 1);
  const size_t low = size_t(at);
  const double share = at - double(low);
  return (1 - share) * sorted[low] + share * sorted[std::min(low + 1, sorted.size() - 1)];
}

// 1e-5 of the value, and 1e-6 more for what is nearly zero.
doctest::Approx near(double value) { return doctest::Approx(value).epsilon(1e-5).scale(0.1); }

void check_comparison(const Evaluation& found, const Sums& sums) {
  REQUIRE(found.reference);
  const signum::Comparison& is = found.reference->comparison;
  const double n = sums.count;
  CHECK(found.windows.scored() == size_t(n));
  CHECK(is.kld.mean.value == near(sums.kld / n));
  CHECK(*is.kld.mean.standard_error == near(Sums::error(sums.kld, sums.kld2, n)));
  CHECK(is.kld.minimum == near(sums.klds.front()));
  CHECK(is.kld.maximum == near(sums.klds.back()));
  CHECK(is.delta_p.mean.value == near(sums.p / n));
  CHECK(*is.delta_p.mean.standard_error == near(Sums::error(sums.p, sums.p2, n)));
  CHECK(is.delta_p.minimum == near(sums.ps.front()));
  CHECK(is.delta_p.maximum == near(sums.ps.back()));
  for (size_t i = 0; i < signum::kPercents.size(); ++i) {
    CHECK(is.kld.percentiles[i] == near(percentile(sums.klds, signum::kPercents[i] / 100)));
    CHECK(is.delta_p.percentiles[i] == near(percentile(sums.ps, signum::kPercents[i] / 100)));
  }
  const double rms = std::sqrt(sums.p2 / n);
  CHECK(is.delta_p_rms.value == near(rms));
  CHECK(*is.delta_p_rms.standard_error == near(0.5 / rms * Sums::error(sums.p2, sums.p4, n)));
  const double same = sums.same / n;
  CHECK(is.same_top.value == near(same));
  CHECK(*is.same_top.standard_error == near(std::sqrt(same * (1 - same) / (n - 1))));
  CHECK(is.log_ratio.value == near((sums.nll - sums.base) / n));
  const double a = Sums::error(sums.nll, sums.nll2, n), b = Sums::error(sums.base, sums.base2, n);
  const double covariance = (sums.both / n - sums.nll / n * (sums.base / n)) / (n - 1);
  CHECK(*is.log_ratio.standard_error == near(std::sqrt(a * a + b * b - 2 * covariance)));
  CHECK(is.correlation == near(covariance / (a * b)));
  CHECK(found.reference->model.perplexity == near(std::exp(sums.base / n)));
  CHECK(found.model.perplexity == near(std::exp(sums.nll / n)));
}

}  // namespace

TEST_CASE("llama.cpp: BOS before every window, the second half scored, errors by target; against F64") {
  const Pair pair(0.1f);
  for (const size_t window : {41, 40, 3}) {  // odd windows score one target more than half
    CAPTURE(window);
    const auto tokens = random_tokens(120 * window + 2, pair.tiny.vocabulary, 73);
    const uint32_t bos = 5;
    double sum = 0, squares = 0, count = 0;
    for (size_t start = 0; start + window <= tokens.size(); start += window) {
      std::vector<uint32_t> read(tokens.begin() + long(start), tokens.begin() + long(start + window));
      read[0] = bos;
      const Rows logits = naive_logits(pair.tiny, read);
      for (size_t t = window / 2; t <= window - 2; ++t) {
        const double loss = -log_probabilities(logits[t].data(), logits[t].size())[read[t + 1]];
        sum += loss;
        squares += loss * loss;
        ++count;
      }
    }
    const auto found = evaluated(*pair.reference, nullptr, tokens, {Protocol::LlamaCpp, window, bos});
    CHECK(found.windows.count == 120);
    CHECK(found.windows.scored() == 120 * (window - 1 - window / 2));
    CHECK(double(found.windows.scored()) == count);
    CHECK(found.model.perplexity == near(std::exp(sum / count)));
    CHECK(*found.model.standard_error ==
          near(std::exp(sum / count) * Sums::error(sum, squares, count)).epsilon(1e-4));
    const auto without = evaluated(*pair.reference, nullptr, tokens, {Protocol::LlamaCpp, window, {}});
    CHECK(without.model.perplexity != found.model.perplexity);
  }
}

TEST_CASE("every statistic of the comparison, both protocols, near and far models") {
  for (const float noise : {0.02f, 0.3f}) {
    const Pair pair(noise);
    const size_t window = 30;
    const auto tokens = random_tokens(20 * window + 7, pair.tiny.vocabulary, 74);
    CAPTURE(noise);
    check_comparison(evaluated(*pair.model, pair.reference.get(), tokens, {Protocol::Papers, window, {}}),
                     naive_sums(*pair.model, *pair.reference, tokens, window, 0, {}));
    check_comparison(evaluated(*pair.model, pair.reference.get(), tokens, {Protocol::LlamaCpp, window, 3}),
                     naive_sums(*pair.model, *pair.reference, tokens, window, window / 2, 3));
  }
}

TEST_CASE("the other model changes nothing; the same values for any number of threads") {
  const Pair pair(0.1f);
  const WindowOptions windows{Protocol::Papers, 40, {}};
  const auto tokens = random_tokens(110 * 40, pair.tiny.vocabulary, 75);  // two batches
  const auto both = evaluated(*pair.model, pair.reference.get(), tokens, windows);
  CHECK(both.model.window_losses == evaluated(*pair.model, nullptr, tokens, windows).model.window_losses);
  CHECK(both.reference->model.window_losses ==
        evaluated(*pair.reference, nullptr, tokens, windows).model.window_losses);
  for (const size_t threads : {1, 5}) {
    const auto other = evaluated(*pair.model, pair.reference.get(), tokens, windows, threads);
    CHECK(other.reference->comparison.kld.mean.value == both.reference->comparison.kld.mean.value);
    CHECK(other.reference->comparison.delta_p.percentiles == both.reference->comparison.delta_p.percentiles);
  }
}

TEST_CASE("a model beside itself: no divergence at all") {
  const Pair pair(0.1f);
  const auto tokens = random_tokens(200, pair.tiny.vocabulary, 76);
  const auto found = evaluated(*pair.model, pair.model.get(), tokens, {Protocol::Papers, 20, {}});
  const signum::Comparison& is = found.reference->comparison;
  CHECK(is.kld.minimum == 0);
  CHECK(is.kld.maximum == 0);
  CHECK(is.delta_p_rms.value == 0);
  CHECK(*is.delta_p_rms.standard_error == 0);
  CHECK(is.same_top.value == 1);
  CHECK(is.log_ratio.value == 0);
  CHECK(is.correlation == near(1));
}

TEST_CASE("a broken model beside a sound one: no number, and no crash") {
  Pair pair(0.1f);
  for (float& value : pair.noisy.tensors.at("model.layers.0.mlp.up_proj.weight").values)
    value = value > 0 ? 3e38f : -3e38f;
  const auto broken = opened(pair.noisy, pair.folder / "broken");
  const auto tokens = random_tokens(80, pair.tiny.vocabulary, 77);
  const auto found = evaluated(*broken, pair.reference.get(), tokens, {Protocol::Papers, 40, {}});
  CHECK(std::isnan(found.reference->comparison.kld.mean.value));
  CHECK(std::isnan(found.reference->comparison.kld.percentiles[5]));
  CHECK(std::isfinite(found.reference->model.perplexity));
}

TEST_CASE("models that cannot be compared") {
  Pair pair(0.1f);
  TinyModel larger = random_tiny_model(78);
  larger.vocabulary = 41;
  randomize(larger, 79);
  TinyModel shorter = pair.tiny;
  shorter.context = 30;
  const auto tokens = random_tokens(80, 37, 80);
  const auto code = [&](const TinyModel& other, const char* name) {
    ThreadPool pool(1);
    EvaluationOptions options;
    options.windows.window = 40;
    const auto result =
        signum::evaluate(*pair.model, opened(other, pair.folder / name).get(), tokens, options, pool);
    REQUIRE_FALSE(result.ok());
    return result.error().code;
  };
  CHECK(code(larger, "larger") == "reference_mismatch");
  CHECK(code(shorter, "shorter") == "context_too_long");
}

TEST_CASE("what was measured at every target, written and read back") {
  const Pair pair(0.1f);
  const size_t window = 21;
  const WindowOptions windows{Protocol::LlamaCpp, window, 5};
  const auto tokens = random_tokens(4 * window, pair.tiny.vocabulary, 81);
  const auto found = evaluated(*pair.model, pair.reference.get(), tokens, windows);
  const std::string path = pair.folder / "targets.safetensors";
  REQUIRE(signum::write_targets(path, found, windows).ok());
  const auto file = signum::SafetensorsFile::open(path).value();
  CHECK(file->metadata().at("protocol") == "llama.cpp");
  CHECK(file->metadata().at("first") == "10");
  CHECK(file->metadata().at("bos") == "5");
  const auto* ids = file->find("tokens");
  REQUIRE(ids);
  CHECK(ids->shape == std::vector<size_t>{4, window});
  uint32_t read[4 * 21];
  std::memcpy(read, ids->bytes.data(), sizeof read);
  for (size_t i = 0; i < 4 * window; ++i) CHECK(read[i] == (i % window == 0 ? 5 : tokens[i]));
  for (const char* name : {"losses", "reference_losses", "kld"})
    CHECK(file->find(name)->shape == std::vector<size_t>{4, 10});
  float losses[40], klds[40];
  std::memcpy(losses, file->find("losses")->bytes.data(), sizeof losses);
  std::memcpy(klds, file->find("kld")->bytes.data(), sizeof klds);
  for (size_t i = 0; i < 40; ++i) {
    CHECK(losses[i] == float(found.targets[i].loss));
    CHECK(klds[i] == float(found.targets[i].kld));
    CHECK(file->find("same_top")->bytes[i] == found.targets[i].same_top);
  }

  const auto alone = evaluated(*pair.model, nullptr, tokens, {Protocol::Papers, window, {}});
  REQUIRE(signum::write_targets(path, alone, {Protocol::Papers, window, {}}).ok());
  const auto single = signum::SafetensorsFile::open(path).value();
  CHECK(single->tensors().size() == 2);
  CHECK(single->metadata().at("bos") == "none");
  CHECK(single->find("losses")->shape == std::vector<size_t>{4, 20});
}
