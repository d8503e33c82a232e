#include "bench/decode_bench.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <random>
#include <sstream>

#include "base/pool.h"
#include "bench/timing.h"
#include "generate/session.h"
#include "run/machine.h"

namespace signum::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPrompt = 16, kDecoded = 64, kPrefills[] = {64, 512};

double since(Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); }

struct Heard {
  double first = 0;  // seconds until the first token
  double rest = 0;   // of those after it
};

// Every prompt is another one, so that nothing is in the cache.
Result<Heard> ask(GenerationSession& session, size_t prompt, size_t tokens, uint32_t seed, ThreadPool& pool) {
  std::mt19937 random(seed);
  GenerationRequest request{.tokens = {}, .max_tokens = tokens, .sampling = {}, .stop_tokens = {}};
  for (size_t i = 0; i < prompt; ++i)
    request.tokens.push_back(uint32_t(random() % session.model().config().vocabulary));
  const auto asked = Clock::now();
  Heard heard;
  const GenerationSession::Listener listener{
      .token = [&](size_t index, uint32_t) { (index == 0 ? heard.first : heard.rest) = since(asked); },
      .halted = [] { return false; }};
  SIGNUM_TAKE(const Generation done, session.generate(request, listener, pool));
  if (done.tokens != tokens) return Error{"internal", "The random model ended early.", ""};
  if (tokens > 1) heard.rest -= heard.first;
  return heard;
}

struct Row {
  double megabytes = 0, prefill[2] = {}, decode = 0, first_ms = 0, resident = 0;
};

Result<Row> measure(const std::string& folder, int repeat, ThreadPool& pool) {
  Row row;
  const uint64_t before = resident_bytes();
  uint32_t seed = 0;
  std::vector<double> opening, decoding, prefill[2];
  std::optional<GenerationSession> session;
  for (int i = 0; i < repeat; ++i) {
    session.reset();
    const auto began = Clock::now();
    SIGNUM_TAKE(auto model, Model::open(folder));
    row.megabytes = double(model->weight_bytes()) / 1e6;
    SIGNUM_TAKE(session, GenerationSession::load(std::move(model), 0, pool));
    const double loading = since(began);
    SIGNUM_TAKE(const Heard first, ask(*session, 1, 1, ++seed, pool));
    opening.push_back(loading + first.first);
  }
  for (int i = 0; i < repeat; ++i) {
    for (size_t k = 0; k < 2; ++k) {
      SIGNUM_TAKE(const Heard read, ask(*session, kPrefills[k], 1, ++seed, pool));
      prefill[k].push_back(read.first);
    }
    SIGNUM_TAKE(const Heard written, ask(*session, kPrompt, kDecoded + 1, ++seed, pool));
    decoding.push_back(written.rest);
  }
  row.resident = (double(resident_bytes()) - double(before)) / 1e6;
  row.first_ms = 1e3 * median(opening);
  row.decode = double(kDecoded) / median(decoding);
  for (size_t k = 0; k < 2; ++k) row.prefill[k] = double(kPrefills[k]) / median(prefill[k]);
  return row;
}

// Removed with what is in it, where it is a temporary one.
struct Folder {
  std::string path;
  bool temporary;

  explicit Folder(const std::string& given) : path(given), temporary(given.empty()) {
    if (temporary)
      path = std::filesystem::temp_directory_path() / ("signum-bench-" + std::to_string(::getpid()));
  }
  ~Folder() {
    std::error_code ignored;
    if (temporary) std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

Result<double> seconds_per_token(const std::string& folder, const SessionOpener& open, size_t tokens,
                                 int repeat, ThreadPool& pool) {
  SIGNUM_TAKE(auto model, Model::open(folder));
  SIGNUM_TAKE(GenerationSession session, open(std::move(model)));
  std::vector<double> seconds;
  for (int i = 0; i <= repeat; ++i) {  // the first is for warming up
    SIGNUM_TAKE(const Heard written, ask(session, kPrompt, tokens + 1, uint32_t(i), pool));
    if (i > 0) seconds.push_back(written.rest / double(tokens));
  }
  return median(seconds);
}

Status print_decoding(const std::string& forms, const std::string& tables, const ModelShape& shape,
                      const std::string& folder, int repeat, ThreadPool& pool) {
  const Folder where(folder);
  std::printf("\nrandom models of %zu layers, hidden %zu, vocabulary %zu; tables of packed ones %s\n",
              shape.layers, shape.hidden, shape.vocabulary, tables.c_str());
  std::printf("%-18s %9s %12s %12s %12s %12s %12s\n", "model", "file MB", "prefill 64", "prefill 512",
              "decode tok/s", "first ms", "resident MB");
  std::istringstream names(forms);
  for (std::string name; std::getline(names, name, ',');) {
    const std::string path = where.path + "/" + name;
    const ModelForm form{name, name == "f16" ? "f16" : tables};
    if (!std::filesystem::exists(path + "/model.safetensors.index.json"))
      SIGNUM_TRY(write_random_model(path, shape, form, pool));
    SIGNUM_TAKE(const Row row, measure(path, repeat, pool));
    std::printf("%-18s %9.1f %12.1f %12.1f %12.2f %12.1f %12.1f\n", name.c_str(), row.megabytes,
                row.prefill[0], row.prefill[1], row.decode, row.first_ms, row.resident);
    std::fflush(stdout);
    if (where.temporary) std::filesystem::remove_all(path);
  }
  return {};
}

}  // namespace signum::bench
