// What the sampler draws, against the probabilities that it must draw with.
#include "generate/sampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>

using namespace signum;

namespace {

std::vector<float> random_logits(size_t count, uint64_t seed, float spread = 2) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

// The rules as they are written: everything sorted, one step after another.
struct Plain {
  std::vector<uint32_t> ids;
  std::vector<double> probabilities;

  Plain(const std::vector<float>& logits, const SamplingOptions& options) {
    ids.resize(logits.size());
    std::iota(ids.begin(), ids.end(), 0u);
    std::stable_sort(ids.begin(), ids.end(), [&](uint32_t a, uint32_t b) { return logits[a] > logits[b]; });
    if (options.top_k > 0) ids.resize(std::min(options.top_k, ids.size()));
    double sum = 0;
    for (const uint32_t id : ids) {
      probabilities.push_back(std::exp((double(logits[id]) - double(logits[ids[0]])) / options.temperature));
      sum += probabilities.back();
    }
    for (double& one : probabilities) one /= sum;
    double reached = 0;
    size_t kept = 0;
    while (kept < ids.size() && reached < options.top_p) reached += probabilities[kept++];
    ids.resize(kept), probabilities.resize(kept);
    for (double& one : probabilities) one /= reached;
  }
  uint32_t pick(double u) const {
    double sum = 0;
    for (size_t i = 0; i < ids.size(); ++i)
      if ((sum += probabilities[i]) > u) return ids[i];
    return ids.back();
  }
};

std::vector<uint32_t> draws(const std::vector<float>& logits, const SamplingOptions& options, size_t count) {
  REQUIRE(check_sampling(options).ok());
  Sampler sampler(options);
  std::vector<uint32_t> out;
  for (size_t i = 0; i < count; ++i) out.push_back(sampler.draw(logits).value());
  return out;
}

const std::vector<SamplingOptions> kSettings = {
    {.temperature = 1, .seed = 1},
    {.temperature = 0.3, .seed = 2},
    {.temperature = 5, .seed = 3},
    {.temperature = 1, .top_k = 5, .seed = 4},
    {.temperature = 1, .top_p = 0.7, .seed = 5},
    {.temperature = 1.7, .top_k = 20, .top_p = 0.9, .seed = 6},
    {.temperature = 100, .top_k = 1000, .top_p = 0.999, .seed = 1ull << 53},
};

std::vector<uint32_t> greedy(const std::vector<float>& logits, size_t count) {
  return std::vector<uint32_t>(count,
                               uint32_t(std::max_element(logits.begin(), logits.end()) - logits.begin()));
}

}  // namespace

TEST_CASE("numbers as CPython's random.random() gives them") {
  PythonRandom small(7), large((1ull << 40) + 5);
  for (const double expected : {0x1.4b9ad0f953a6ep-2, 0x1.34f0696513270p-3, 0x1.4d474883171ffp-1})
    CHECK(small.random() == expected);
  for (const double expected : {0x1.023e2261153dcp-1, 0x1.130d0ad4f7578p-2, 0x1.da00b1c1c1612p-1})
    CHECK(large.random() == expected);
}

TEST_CASE("draws have the exact probabilities: chi-square over 20,000 of them") {
  constexpr size_t kDraws = 20000;
  const auto logits = random_logits(40, 8);
  for (const SamplingOptions& options : kSettings) {
    CAPTURE(options.seed);
    const Plain plain(logits, options);
    std::map<uint32_t, size_t> seen;
    for (const uint32_t id : draws(logits, options, kDraws)) ++seen[id];
    double chi = 0, rest_expected = 0, rest_seen = 0;
    size_t cells = 0;
    for (size_t i = 0; i < plain.ids.size(); ++i) {
      const double expected = plain.probabilities[i] * double(kDraws), found = double(seen[plain.ids[i]]);
      seen.erase(plain.ids[i]);
      if (expected < 10) {
        rest_expected += expected, rest_seen += found;
        continue;
      }
      chi += (found - expected) * (found - expected) / expected, ++cells;
    }
    CHECK(seen.empty());  // nothing else was drawn
    if (rest_expected > 0)
      chi += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected, ++cells;
    // Mean cells - 1, deviation sqrt(2 (cells - 1)): five of them.
    const double freedom = double(std::max<size_t>(1, cells) - 1);
    CHECK(chi <= freedom + 5 * std::sqrt(2 * freedom) + 1e-9);
  }
}

TEST_CASE("each draw is the one that u picks from everything sorted, in a large vocabulary too") {
  for (const size_t vocabulary : {1, 2, 63, 64, 65, 3000})
    for (const SamplingOptions& options : kSettings) {
      CAPTURE(vocabulary);
      CAPTURE(options.seed);
      const auto logits = random_logits(vocabulary, vocabulary, 1);
      const Plain plain(logits, options);
      PythonRandom random(options.seed);
      size_t others = 0;
      for (const uint32_t id : draws(logits, options, 300)) others += id != plain.pick(random.random());
      CHECK(others <= 1);  // a draw may fall on an edge, where F32 and F64 differ
    }
}

TEST_CASE("the same seed draws the same tokens, another one others") {
  const auto logits = random_logits(500, 9);
  const SamplingOptions options{.temperature = 1, .seed = 11};
  CHECK(draws(logits, options, 50) == draws(logits, options, 50));
  CHECK(draws(logits, options, 50) != draws(logits, {.temperature = 1, .seed = 12}, 50));
}

TEST_CASE("temperature 0, top_k 1, a tiny top_p and a tiny temperature are greedy") {
  for (const uint64_t seed : {1, 2, 3}) {
    const auto logits = random_logits(700, seed);
    for (const SamplingOptions& options : {SamplingOptions{.temperature = 0, .seed = seed},
                                           SamplingOptions{.temperature = 2, .top_k = 1, .seed = seed},
                                           SamplingOptions{.temperature = 2, .top_p = 1e-9, .seed = seed},
                                           SamplingOptions{.temperature = 1e-300, .seed = seed}})
      CHECK(draws(logits, options, 30) == greedy(logits, 30));
  }
}

TEST_CASE("among equal logits the lower ids come first") {
  std::vector<float> logits(300, 1.0f);
  CHECK(draws(logits, {.temperature = 0}, 3) == std::vector<uint32_t>(3, 0));
  const auto few = draws(logits, {.temperature = 1, .top_k = 4, .seed = 5}, 200);
  CHECK(std::set<uint32_t>(few.begin(), few.end()) == std::set<uint32_t>{0, 1, 2, 3});
  const auto half = draws(logits, {.temperature = 1, .top_p = 0.5, .seed = 5}, 5000);
  CHECK(*std::max_element(half.begin(), half.end()) == 149);
  logits[200] = 2;
  CHECK(draws(logits, {.temperature = 0}, 1).front() == 200);
}

TEST_CASE("one number is taken for each token, whatever the logits and the settings are") {
  // The third draw is the same, whether two greedy-looking ones or two wide ones went before.
  const auto logits = random_logits(50, 4), sharp = [] {
    std::vector<float> one(50, -50.0f);
    one[7] = 50;
    return one;
  }();
  const SamplingOptions options{.temperature = 1, .seed = 3};
  Sampler a(options), b(options);
  for (int i = 0; i < 2; ++i) {
    CHECK(a.draw(sharp).value() == 7);
    CHECK(b.draw(logits).ok());
  }
  CHECK(a.draw(logits).value() == b.draw(logits).value());
}

TEST_CASE("parameters out of range, and logits that are not finite, are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const SamplingOptions& options :
       {SamplingOptions{.temperature = -0.1}, SamplingOptions{.temperature = 100.5},
        SamplingOptions{.temperature = nan}, SamplingOptions{.top_p = 0}, SamplingOptions{.top_p = 1.01},
        SamplingOptions{.top_p = nan}}) {
    const Status status = check_sampling(options);
    REQUIRE(!status.ok());
    CHECK(status.error().code == "sampling_invalid");
  }
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY})
    for (const double temperature : {0.0, 1.0}) {
      auto logits = random_logits(20, 1);
      logits[13] = bad;
      Sampler sampler({.temperature = temperature});
      const auto token = sampler.draw(logits);
      REQUIRE(!token.ok());
      CHECK(token.error().code == "logits_not_finite");
    }
}
