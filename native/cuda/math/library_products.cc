// Products by cuBLAS and factors by cuSOLVER: one fixed workspace, no atomics, so the same bytes every time.
// Matrices here are row-major, there column-major: theirs are the transposes of ours.
#include "cuda/math/library_products.h"

#include <algorithm>
#include <vector>

#include "cuda/math/cublas.h"
#include "cuda/math/triangular_tiles.h"

namespace signum::cuda {
namespace {

constexpr size_t kWorkspace = size_t(32) << 20;  // what NVIDIA recommends for the largest cards

void must(cublas::Status status) {
  if (status != 0)
    throw Fault{{"device_failed", "cuBLAS could not make a product.", "status " + std::to_string(status)}};
}

std::string name_of(const LoadedLibrary& library) { return library.about.name + " " + library.about.version; }

int operation(bool transposed) { return transposed ? cublas::kTransposed : cublas::kNotTransposed; }

class Solver {
 public:
  Solver(Device& device, const LoadedLibrary& library) : device_(device), info_(device, 1, "cuSOLVER") {
    auto* create = library.function<cublas::SolverCreate>("cusolverDnCreate");
    auto* set_stream = library.function<cublas::SolverSetStream>("cusolverDnSetStream");
    destroy_ = library.function<cublas::SolverDestroy>("cusolverDnDestroy");
    f32_ = {library.function<cublas::PotrfBufferSize<float>>("cusolverDnSpotrf_bufferSize"),
            library.function<cublas::Potrf<float>>("cusolverDnSpotrf")};
    f64_ = {library.function<cublas::PotrfBufferSize<double>>("cusolverDnDpotrf_bufferSize"),
            library.function<cublas::Potrf<double>>("cusolverDnDpotrf")};
    if (!create || !set_stream || !destroy_ || !f32_ || !f64_) return;
    if (create(&handle_) != 0) {
      handle_ = nullptr;
      return;
    }
    usable_ = set_stream(handle_, device.stream().handle()) == 0;
  }
  ~Solver() {
    if (handle_) destroy_(handle_);
  }
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;

  bool cholesky(size_t n, float* a, size_t lda) { return factor(f32_, n, a, lda); }
  bool cholesky(size_t n, double* a, size_t lda) { return factor(f64_, n, a, lda); }
  bool usable() const { return usable_; }

 private:
  template <class T>
  struct Functions {
    cublas::PotrfBufferSize<T>* size = nullptr;
    cublas::Potrf<T>* factor = nullptr;
    explicit operator bool() const { return size && factor; }
  };

  // Our lower triangle is its upper one.
  template <class T>
  bool factor(const Functions<T>& functions, size_t n, T* a, size_t lda) {
    int size = 0;
    if (!usable_ || functions.size(handle_, cublas::kUpper, int(n), a, int(lda), &size) != 0 || size < 0)
      return false;
    const Array<T> room(device_, size_t(size), "cuSOLVER");
    // What it refuses it has not touched; what it begins it says in info.
    if (functions.factor(handle_, cublas::kUpper, int(n), a, int(lda), room.data(), size, info_.data()) != 0)
      return false;
    own::mark_failed(device_, info_.data(), a, lda);
    return true;
  }

  Device& device_;
  Array<int> info_;
  cublas::SolverHandle handle_ = nullptr;
  cublas::SolverDestroy* destroy_ = nullptr;
  Functions<float> f32_;
  Functions<double> f64_;
  bool usable_ = false;
};

class Cublas final : public LibraryProducts {
 public:
  Cublas(Device& device, const LoadedLibrary& library)
      : name_(name_of(library)), workspace_(device, kWorkspace, "cuBLAS's workspace") {
    auto* create = library.function<cublas::Create>("cublasCreate_v2");
    auto* set_stream = library.function<cublas::SetStream>("cublasSetStream_v2");
    auto* set_workspace = library.function<cublas::SetWorkspace>("cublasSetWorkspace_v2");
    auto* set_math = library.function<cublas::SetMode>("cublasSetMathMode");
    auto* set_atomics = library.function<cublas::SetMode>("cublasSetAtomicsMode");
    destroy_ = library.function<cublas::Destroy>("cublasDestroy_v2");
    gemm_ = library.function<cublas::GemmEx>("cublasGemmEx");
    batched_ = library.function<cublas::GemmStridedBatchedEx>("cublasGemmStridedBatchedEx");
    syrk_ = library.function<cublas::Ssyrk>("cublasSsyrk_v2");
    if (!create || !set_stream || !set_workspace || !set_math || !set_atomics || !destroy_ || !gemm_ ||
        !batched_ || !syrk_ || create(&handle_) != 0) {
      handle_ = nullptr;
      return;
    }
    // The stream first: setting it takes the workspace away.
    usable_ = set_stream(handle_, device.stream().handle()) == 0 &&
              set_workspace(handle_, workspace_.data(), workspace_.bytes()) == 0 &&
              set_math(handle_, cublas::kMathWithoutReducedSums) == 0 &&
              set_atomics(handle_, cublas::kAtomicsNotAllowed) == 0;
  }
  ~Cublas() override {
    if (handle_) destroy_(handle_);
  }
  const std::string& name() const override { return name_; }
  // A library may load and have nothing for this card: what it does with one product shows it.
  bool works(Device& device) {
    if (!usable_) return false;
    constexpr size_t kSide = 16;
    const uint16_t half[] = {0x3C00, 0x4000};  // 1 and 2
    std::vector<uint16_t> a(kSide * kSide, half[0]), b(kSide * kSide, half[1]);
    const Array<uint16_t> a_there(device, a.size(), "a check"), b_there(device, b.size(), "a check");
    const Array<float> c_there(device, a.size(), "a check");
    device.upload(a_there.data(), a.data(), a_there.bytes());
    device.upload(b_there.data(), b.data(), b_there.bytes());
    own::Product<float, uint16_t, uint16_t> p;
    p.half = true;
    p.m = p.n = p.k = p.lda = p.ldb = p.ldc = kSide;
    p.a = a_there.data();
    p.b = b_there.data();
    p.c = c_there.data();
    try {
      multiply(p);
    } catch (const Fault&) {
      device.stream().wait();
      return false;
    }
    return std::ranges::all_of(c_there.download(), [](float c) { return c == 2 * kSide; });
  }
  void take_solver(std::unique_ptr<Solver> solver, const LoadedLibrary& library) {
    if (!solver->usable()) return;
    solver_ = std::move(solver);
    name_ += ", " + name_of(library);
  }

  void multiply(const own::Product<float, float>& p, bool tf32) override {
    make(p, cublas::kF32, cublas::kF32, tf32 ? cublas::kComputeTf32 : cublas::kComputeF32);
  }
  void multiply(const own::Product<double, double>& p) override {
    make(p, cublas::kF64, cublas::kF64, cublas::kComputeF64);
  }
  void multiply(const own::Product<float, uint16_t, uint16_t>& p) override {
    make(p, p.half ? cublas::kF16 : cublas::kBF16, cublas::kF32, cublas::kComputeF32);
  }
  void add_lower_gram(bool transposed, size_t n, size_t k, float alpha, const float* a, size_t lda, float* c,
                      size_t ldc) override {
    if (n == 0 || k == 0) return;
    const float one = 1;
    must(syrk_(handle_, cublas::kUpper, operation(!transposed), int(n), int(k), &alpha, a, int(lda), &one, c,
               int(ldc)));
  }
  bool cholesky(size_t n, float* a, size_t lda) override { return solver_ && solver_->cholesky(n, a, lda); }
  bool cholesky(size_t n, double* a, size_t lda) override { return solver_ && solver_->cholesky(n, a, lda); }

 private:
  // C^T = op(B)^T op(A)^T.
  template <class T, class W, class V>
  void make(const own::Product<T, W, V>& p, int operands, int result, int compute) {
    if (p.m == 0 || p.n == 0 || p.count == 0) return;
    const int op_b = operation(p.b_transposed), op_a = operation(p.a_transposed);
    const int m = int(p.m), n = int(p.n), k = int(p.k);
    if (p.count == 1) {
      must(gemm_(handle_, op_b, op_a, n, m, k, &p.alpha, p.b, operands, int(p.ldb), p.a, operands, int(p.lda),
                 &p.beta, p.c, result, int(p.ldc), compute, cublas::kAnyAlgorithm));
      return;
    }
    // Neighbours that share B are a batch whose B does not move.
    const size_t shared = p.b_shared, calls = shared > 1 ? (p.count + shared - 1) / shared : 1;
    for (size_t i = 0; i < calls; ++i) {
      const size_t first = i * shared, count = shared > 1 ? std::min(shared, p.count - first) : p.count;
      must(batched_(handle_, op_b, op_a, n, m, k, &p.alpha, p.b + i * p.b_step, operands, int(p.ldb),
                    shared > 1 ? 0 : static_cast<long long>(p.b_step), p.a + first * p.a_step, operands,
                    int(p.lda), static_cast<long long>(p.a_step), &p.beta, p.c + first * p.c_step, result,
                    int(p.ldc), static_cast<long long>(p.c_step), int(count), compute,
                    cublas::kAnyAlgorithm));
    }
  }

  std::string name_;
  Array<uint8_t> workspace_;
  cublas::Handle handle_ = nullptr;
  cublas::Destroy* destroy_ = nullptr;
  cublas::GemmEx* gemm_ = nullptr;
  cublas::GemmStridedBatchedEx* batched_ = nullptr;
  cublas::Ssyrk* syrk_ = nullptr;
  std::unique_ptr<Solver> solver_;
  bool usable_ = false;
};

}  // namespace

std::unique_ptr<LibraryProducts> load_library_products(Device& device, const SearchPlaces& places,
                                                       int cuda_major) {
  const std::vector<LibraryKind> kinds = library_kinds(cuda_major);
  std::unique_ptr<Cublas> products;
  // One that is there but does not work here is passed over.
  load_library(kinds[0], places, [&](const LoadedLibrary& library) {
    products = std::make_unique<Cublas>(device, library);
    if (!products->works(device)) products.reset();
    return products != nullptr;
  });
  if (!products) return {};
  if (const auto library = load_library(kinds[2], places))
    products->take_solver(std::make_unique<Solver>(device, *library), *library);
  return products;
}

}  // namespace signum::cuda
