// signum-gpu-bench: what a card takes for runs, products from packed layouts, perplexity and writing
// (docs/BENCHMARKS.md). native/bench/gpu builds it, checks the card and starts it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <sstream>

#include "base/pool.h"
#include "bench/decode_bench.h"
#include "bench/random_model.h"
#include "bench/random_packed.h"
#include "bench/timing.h"
#include "cuda/card.h"
#include "cuda/kernels/product.h"
#include "cuda/kernels/stored_product.h"
#include "cuda/math/elementwise.h"
#include "device/open.h"
#include "evaluate/evaluate.h"
#include "math/blas.h"
#include "run/layer_compute.h"
#include "run/quantize_run.h"

using namespace signum;
using namespace signum::bench;

namespace {

struct Options {
  std::string device = "cuda", libraries, precision = "f32", folder, only;
  ModelShape shape{.hidden = 4096,
                   .intermediate = 11008,
                   .layers = 2,
                   .heads = 32,
                   .kv_heads = 32,
                   .vocabulary = 32000,
                   .context = 4096};
  size_t whole = 32;  // layers of the model that times are scaled to
  size_t sequences = 128, length = 2048;
  std::string sizes = "4096x4096,11008x4096,28672x8192";
  size_t bytes = size_t(1) << 30;  // of weights that a product goes over, so that no cache holds them
  size_t tokens = 64;              // that are written one after another
  int repeat = 5;
  double seconds = 1e9;  // runs that would begin later are left out
};

constexpr const char* kUsage =
    "signum-gpu-bench [--folder DIR] [--device cuda:N] [--libraries DIR] [--precision f32] [--layers 2]\n"
    "  [--hidden 4096] [--intermediate 11008] [--heads 32] [--vocabulary 32000] [--sequences 128]\n"
    "  [--length 2048] [--sizes 4096x4096,...] [--bytes N] [--repeat N] [--tokens N] [--only TEXT] "
    "[--seconds N]\n";

std::optional<Options> read_options(int argc, char** argv) {
  Options o;
  if (argc % 2 == 0) return std::nullopt;
  for (int i = 1; i < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    const std::pair<const char*, std::string*> texts[] = {
        {"--device", &o.device}, {"--libraries", &o.libraries}, {"--precision", &o.precision},
        {"--folder", &o.folder}, {"--only", &o.only},           {"--sizes", &o.sizes}};
    const std::pair<const char*, size_t*> numbers[] = {{"--layers", &o.shape.layers},
                                                       {"--hidden", &o.shape.hidden},
                                                       {"--intermediate", &o.shape.intermediate},
                                                       {"--vocabulary", &o.shape.vocabulary},
                                                       {"--sequences", &o.sequences},
                                                       {"--length", &o.length},
                                                       {"--bytes", &o.bytes},
                                                       {"--tokens", &o.tokens},
                                                       {"--heads", &o.shape.heads}};
    const auto text = std::ranges::find_if(texts, [&](const auto& one) { return key == one.first; });
    const auto number = std::ranges::find_if(numbers, [&](const auto& one) { return key == one.first; });
    if (text != std::end(texts))
      *text->second = value;
    else if (number != std::end(numbers))
      *number->second = std::strtoul(value.c_str(), nullptr, 10);
    else if (key == "--repeat")
      o.repeat = std::max(1, std::atoi(value.c_str()));
    else if (key == "--seconds")
      o.seconds = std::atof(value.c_str());
    else
      return std::nullopt;
  }
  o.shape.kv_heads = o.shape.heads;
  o.shape.context = std::max(o.shape.context, o.length + 1);
  return o;
}

struct BenchRun {
  const char* name;
  const char* recipe;
};
constexpr BenchRun kRuns[] = {
    {"rtn",
     R"({"method":"rtn","parameters":{"bits":2,"group":128,"symmetric":false,"clip_search":false,"scale_type":"f16"}})"},
    {"gptq",
     R"({"method":"gptq","parameters":{"bits":2,"group":128,"symmetric":false,"clip_search":false,"order":"natural","correction":0,"blocksize":128,"damping":0.01,"scale_type":"f16"}})"},
    {"billm",
     R"({"method":"billm","parameters":{"salience":"hessian","search_space":"saliency","correction":0,"blocksize":128,"damping":0.01,"max_salient":50,"scale_type":"f16"}})"},
    {"arb-rc + bitmap",
     R"({"method":"arb-rc","parameters":{"salience":"hessian","search_space":"saliency","correction":0,"blocksize":128,"damping":0.01,"max_salient":50,"column_group_bitmap":true,"splits":1,"iterations":15,"scale_type":"f16"}})"},
    {"arb-x + bitmap",
     R"({"method":"arb-x","parameters":{"salience":"hessian","search_space":"saliency","correction":0,"blocksize":128,"damping":0.01,"max_salient":50,"column_group_bitmap":true,"splits":1,"iterations":15,"scale_type":"f16"}})"},
    {"signum-rc",
     R"({"method":"signum-rc","parameters":{"second_plane":1,"third_plane":0,"order":"hessian","column_scales":true,"refits":4,"correction":0,"blocksize":128,"damping":0.01,"scale_type":"f16"}})"},
};

constexpr const char* kLayouts[] = {
    "signum-rc 0",     "signum-rc 0.25", "signum-rc 1", "fdb",  "billm", "arb-x + bitmap",
    "arb-rc + bitmap", "pb-llm",         "rtn2",        "rtn3", "rtn4",  "rtn8"};

// Linears and tables of the models that write.
const ModelForm kWriters[] = {{"f16", "f16"},          {"signum-rc 0.25", "rtn8"},
                              {"signum-rc 1", "rtn8"}, {"arb-rc + bitmap", "rtn8"},
                              {"billm", "rtn8"},       {"rtn4", "rtn8"}};

std::vector<uint32_t> random_tokens(size_t count, size_t vocabulary) {
  std::mt19937 random(1);
  std::vector<uint32_t> tokens(count);
  for (uint32_t& id : tokens) id = uint32_t(random() % vocabulary);
  return tokens;
}

class Bench {
 public:
  explicit Bench(const Options& options) : o_(options), began_(Clock::now()) {}

  // (1) and (3).
  Status runs() {
    DeviceChoice choice{.device = o_.device, .libraries = o_.libraries, .precision = o_.precision};
    SIGNUM_TAKE(const auto device, open_device(choice));
    const std::string model = o_.folder + "/model";
    if (!std::filesystem::exists(model + "/config.json"))
      SIGNUM_TRY(write_random_model(model, o_.shape, {"f16", "f16"}, pool_));
    const auto tokens = random_tokens(o_.sequences * o_.length + 1, o_.shape.vocabulary);
    std::ofstream(o_.folder + "/tokens.u32", std::ios::binary)
        .write(reinterpret_cast<const char*>(tokens.data()), std::streamsize(tokens.size() * 4));
    std::printf("\n%zu of %zu decoder layers were run (%zu wide, %zu inside), %zu x %zu tokens, %s;\n",
                o_.shape.layers, o_.whole, o_.shape.hidden, o_.shape.intermediate, o_.sequences, o_.length,
                device->backend().fingerprint().c_str());
    std::printf("seconds are scaled to %zu layers, but for the hashes of the files, which are left out\n",
                o_.whole);
    std::printf("%-16s %9s %9s %9s %9s %9s %9s %9s\n", "run", "calibrate", "factor", "quantize", "propagate",
                "write", "all", "peak so far");
    for (const BenchRun& run : kRuns) {
      if (std::string(run.name).find(o_.only) == std::string::npos) continue;
      if (elapsed() > o_.seconds) {
        std::printf("%-16s left out: the time is up\n", run.name);
        continue;
      }
      SIGNUM_TRY(one_run(run, model, *device));
    }
    if (wanted("perplexity")) note("perplexity", perplexity(model, tokens, *device));
    if (wanted("decode")) note("writing", writing(*device));
    return failed_;
  }

  // (2)
  void products() {
    auto opened = cuda::Device::open(o_.device, {0, o_.libraries});
    cuda::check(opened.ok() ? Status() : Status(opened.error()));
    cuda::Device& device = *opened.value();
    cuda::Blas blas(device, {o_.libraries, cuda::Precision::F32});
    cuda::Card card{device, blas};
    const double copying = copy_rate(device);
    std::printf("\ncopying on the card: %.0f GB/s, read and written\n", copying);
    std::istringstream list(o_.sizes);
    for (std::string size; std::getline(list, size, ',');) {
      size_t columns = 0;
      const size_t rows = std::stoul(size, &columns);
      columns = std::stoul(size.substr(columns + 1));
      std::printf("\n%zu x %zu, one token\n%-18s %8s %12s %8s %9s\n", rows, columns, "layout", "bits",
                  "microseconds", "GB/s", "of copying");
      stored(card, rows, columns, copying);
      for (const std::string name : kLayouts)
        if (name.find(o_.only) != std::string::npos) packed(card, name, rows, columns, copying);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  // What fails is told, and the rest is measured all the same.
  void note(const char* part, const Status& status) {
    if (status.ok()) return;
    std::printf("%-16s FAILED: %s\n", part, status.error().message.c_str());
    failed_ = status;
  }

  bool wanted(const std::string& part) const {
    return elapsed() <= o_.seconds && part.find(o_.only) != std::string::npos;
  }

  // (2), whole models: a token's time grows by the same with every layer, so two depths tell that of all.
  Status writing(OpenedDevice& device) {
    const size_t few = o_.shape.layers, more = 3 * few;
    std::printf("\n%zu tokens after a prompt of 16, %zu layers by those of %zu and %zu\n", o_.tokens,
                o_.whole, few, more);
    std::printf("%-18s %12s %12s %10s\n", "model", "ms/token", "tokens/s", "of F16");
    const SessionOpener open = [&](std::shared_ptr<const Model> model) -> Result<GenerationSession> {
      SIGNUM_TAKE(auto reader, device.reader(std::move(model), 16 + o_.tokens + 8, pool_));
      return GenerationSession(std::move(reader));
    };
    double plain = 0;
    for (const ModelForm& form : kWriters) {
      if (elapsed() > o_.seconds) break;
      double seconds[2];
      for (const size_t depth : {few, more}) {
        const std::string folder = o_.folder + "/writer";
        std::filesystem::remove_all(folder);
        ModelShape shape = o_.shape;
        shape.layers = depth;
        SIGNUM_TRY(write_random_model(folder, shape, form, pool_));
        SIGNUM_TAKE(seconds[depth == more], seconds_per_token(folder, open, o_.tokens, o_.repeat, pool_));
        std::filesystem::remove_all(folder);
      }
      const double layer = (seconds[1] - seconds[0]) / double(more - few);
      const double all = seconds[0] + layer * double(o_.whole - few);
      if (form.linears == "f16") plain = all;
      std::printf("%-18s %12.3f %12.1f %9.2fx\n", form.linears.c_str(), 1e3 * all, 1 / all, plain / all);
      std::fflush(stdout);
    }
    return {};
  }

  Status one_run(const BenchRun& run, const std::string& model, OpenedDevice& device) {
    const std::string folder = o_.folder + "/run";
    std::filesystem::remove_all(folder);
    const QuantizeJob job{.model = model,
                          .run = folder,
                          .recipe = run.recipe,
                          .calibration = Calibration{o_.folder + "/tokens.u32",
                                                     {Sampling::Sequential, o_.sequences, o_.length, 0}},
                          .resume = false,
                          .activation_limit = uint64_t(32) << 30};
    Observer silent;
    const auto done = run_quantize(job, silent, pool_, device.backend());
    if (!done.ok()) {
      const std::string& code = done.error().code;
      if (code != "recipe_invalid" && code != "device_memory_short" && code != "memory_short") {
        note(run.name, done.error());
      } else {
        std::printf("%-16s left out: %s\n", run.name, done.error().message.c_str());
      }
      return {};
    }
    const QuantizeOutcome& outcome = done.value();
    const double layers = double(o_.whole) / double(o_.shape.layers);
    const double moved = o_.shape.layers > 1 ? double(o_.whole - 1) / double(o_.shape.layers - 1) : 0;
    double all = 0;
    std::printf("%-16s", run.name);
    for (const char* phase : {"calibrate", "factor", "quantize", "propagate", "write"}) {
      const auto found = std::ranges::find(outcome.seconds, phase, [](const auto& one) { return one.first; });
      const double own = found == outcome.seconds.end() ? 0 : found->second;
      const double scaled = own * (std::string(phase) == "propagate" ? moved : layers);
      all += scaled;
      std::printf(" %9.2f", scaled);
    }
    std::printf(" %9.1f %8.2f GB\n", all, double(device.peak_bytes()) / 1e9);
    std::fflush(stdout);
    std::filesystem::remove_all(folder);
    return {};
  }

  Status perplexity(const std::string& folder, std::span<const uint32_t> tokens, OpenedDevice& device) {
    SIGNUM_TAKE(const auto model, Model::open(folder));
    EvaluationOptions options;
    options.windows.window = o_.length;
    options.activations.folder = o_.folder;
    SIGNUM_TAKE(const Evaluation done, device.evaluate(*model, nullptr, tokens, options, pool_));
    const double seconds = done.seconds * double(o_.whole) / double(o_.shape.layers);
    std::printf("\nperplexity: %.0f tokens/s, scaled to %zu layers (the head is scaled with them)\n",
                double(done.windows.count * o_.length) / seconds, o_.whole);
    return {};
  }

  // Seconds of one call among those over all weights.
  template <class Work>
  double each(cuda::Device& device, size_t count, const Work& all) const {
    std::vector<double> seconds;
    for (int i = 0; i <= o_.repeat; ++i) {
      const double took = seconds_of([&] {
        all();
        device.stream().wait();
      });
      if (i > 0) seconds.push_back(took);  // the first is for warming up
    }
    return median(seconds) / double(count);
  }
  // The same of launches that are recorded and played, as writing a text does it: each costs the host next to
  // nothing.
  double each_played(cuda::Device& device, size_t count, const std::function<void()>& all) const {
    all();  // whatever makes room or loads kernels does it here
    cuda::Graph graph(device, all);
    return each(device, count, [&] { graph.play(); });
  }
  void tell(const std::string& name, double bytes, size_t weights, double seconds, double copying) const {
    std::printf("%-18s %8.2f %12.1f %8.0f %8.0f %%\n", name.c_str(), 8 * bytes / double(weights),
                seconds * 1e6, bytes / seconds / 1e9, 100 * bytes / seconds / 1e9 / copying);
    std::fflush(stdout);
  }

  double copy_rate(cuda::Device& device) const {
    const cuda::Array<uint8_t> from(device, o_.bytes, "a copy"), to(device, o_.bytes, "a copy");
    device.fill(from.data(), 1, o_.bytes);
    const double seconds = each(device, 1, [&] { device.copy(to.data(), from.data(), o_.bytes); });
    return 2 * double(o_.bytes) / seconds / 1e9;
  }
  void stored(cuda::Card& card, size_t rows, size_t columns, double copying) const {
    const size_t one = rows * columns * 2, count = (o_.bytes + one - 1) / one;
    std::vector<cuda::Array<uint16_t>> matrices;
    for (size_t i = 0; i < count; ++i)
      matrices.emplace_back(card.device, rows * columns, "a matrix").fill(0x11);
    cuda::Array<float> x(card.device, columns, "x"), y(card.device, rows, "y");
    cuda::fill(card.device, x.data(), columns, 1.0f);
    const double seconds = each_played(card.device, count, [&] {
      for (const auto& matrix : matrices)
        cuda::multiply(card, cuda::StoredOnCard{DType::F16, matrix.data(), rows, columns}, x.data(), 1, 0.0f,
                       y.data(), rows);
    });
    tell("F16", double(one), rows * columns, seconds, copying);
  }
  void packed(cuda::Card& card, const std::string& name, size_t rows, size_t columns, double copying) {
    const PackedLinear linear = random_packed(*layout_named(name, rows, columns), 1, 1);
    const size_t count = (o_.bytes + linear.bytes() - 1) / linear.bytes();
    std::vector<cuda::DevicePacked> linears;
    for (size_t i = 0; i < count; ++i) linears.push_back(cuda::DevicePacked::upload(card, view_of(linear)));
    cuda::Array<float> x(card.device, columns, "x"), y(card.device, rows, "y");
    cuda::fill(card.device, x.data(), columns, 1.0f);
    cuda::ProductRoom room;
    const double seconds = each_played(card.device, count, [&] {
      for (const auto& one : linears) cuda::multiply(card, room, one, x.data(), 1, 0.0f, y.data(), rows);
    });
    tell(name, double(linear.bytes()), rows * columns, seconds, copying);
  }

  const Options& o_;
  const Clock::time_point began_;
  ThreadPool pool_{0};
  Status failed_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto options = read_options(argc, argv);
  if (!options || options->folder.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  blas::use_one_thread();
  std::filesystem::create_directories(options->folder);
  Bench bench(*options);
  const Status products = cuda::guarded_status([&] { bench.products(); });
  const bool missing = !products.ok() && products.error().code == "device_missing";
  const Status runs = missing ? Status() : bench.runs();
  std::fflush(stdout);
  for (const Status* one : {&products, &runs})
    if (!one->ok()) std::fprintf(stderr, "%s: %s\n", one->error().code.c_str(), one->error().message.c_str());
  return products.ok() && runs.ok() ? 0 : 1;
}
