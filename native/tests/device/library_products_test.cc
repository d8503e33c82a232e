// Products by a library that stands in for cuBLAS and cuSOLVER: what is asked of them must come out as our
// own kernels' results do.
#include <doctest/doctest.h>

#ifdef SIGNUM_EMULATED

#include <cstdlib>
#include <filesystem>

#include "base/half.h"
#include "base/pool.h"
#include "cuda/card.h"
#include "cuda/math/factor.h"
#include "cuda/math/library_products.h"
#include "numbers.h"
#include "tests/random_problem.h"
#include "tests/temporary_folder.h"

using namespace signum;

namespace {

// The stand-in, found in a folder as the real ones are.
std::unique_ptr<cuda::LibraryProducts> stand_in(bool solver = true) {
  static const TemporaryFolder folder;
  for (const char* name : {"a/libcublas.so.13", "a/libcusolver.so.12", "b/libcublas.so.13"}) {
    std::filesystem::create_directories((folder / name).substr(0, (folder / name).rfind('/')));
    std::filesystem::copy_file(FAKE_CUBLAS, folder / name, std::filesystem::copy_options::skip_existing);
  }
  auto library =
      cuda::load_library_products(test_device(), {folder / (solver ? "a" : "b"), folder.path, {}}, 13);
  REQUIRE(library);
  return library;
}

double apart(const std::vector<float>& got, const std::vector<float>& expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double d = std::fabs(double(got[i]) - double(expected[i]));
    difference = d > difference || d != d ? d : difference;
    size = std::max(size, std::fabs(double(expected[i])));
  }
  return difference / size;
}

}  // namespace

TEST_CASE("the emulated device has no library of its own, whatever lies on the machine") {
  CHECK(!cuda::Blas(test_device(), {}).has_library());
  CHECK(cuda::Blas(test_device(), {}).library_name() == "");
}

TEST_CASE("libraries are named with their versions") {
  CHECK(cuda::Blas(test_device(), cuda::Precision::F32, stand_in()).library_name() ==
        "cublas 13.0.0, cusolver 12.0.0");
  CHECK(cuda::Blas(test_device(), cuda::Precision::F32, stand_in(false)).library_name() == "cublas 13.0.0");
}

TEST_CASE("a library that has nothing for this card is passed over") {
  const TemporaryFolder folder;
  const std::string only = folder / "libcublas.so.13";
  std::filesystem::copy_file(FAKE_CUBLAS, only);
  setenv("SIGNUM_FAKE_CUBLAS_FAILS", "1", 1);
  const auto library = cuda::load_library_products(test_device(), {folder.path, folder.path, {}}, 13);
  unsetenv("SIGNUM_FAKE_CUBLAS_FAILS");
  CHECK(!library);
}

TEST_CASE("products by a library are those of our own kernels") {
  cuda::Device& device = test_device();
  cuda::Blas own(device, {});
  for (const auto precision : {cuda::Precision::F32, cuda::Precision::Bf16x3, cuda::Precision::Tf32}) {
    cuda::Blas library(device, precision, stand_in());
    CHECK(library.has_library());
    CHECK(library.precision() == precision);
    const size_t m = 20, n = 31, k = 45;
    const auto c = random_numbers(m * n + 100, 3);
    for (const bool at : {false, true})
      for (const bool bt : {false, true}) {
        const size_t lda = (at ? m : k) + 2, ldb = (bt ? k : n) + 3, ldc = n + 1;
        const auto a = uploaded(random_numbers((at ? k : m) * lda, 1));
        const auto b = uploaded(random_numbers((bt ? n : k) * ldb, 2));
        const auto product = [&](cuda::Blas& blas) {
          const auto out = uploaded(c);
          blas.gemm(at, bt, m, n, k, 1.5f, a.data(), lda, b.data(), ldb, -0.5f, out.data(), ldc);
          return out.download();
        };
        CHECK(apart(product(library), product(own)) < 1e-6);
      }
    const auto x = uploaded(random_numbers(40 * 35, 4)), y = uploaded(random_numbers(40 * 20, 5));
    const auto gram = [&](cuda::Blas& blas) {
      const auto out = uploaded(std::vector<float>(30 * 30, 1.0f));
      blas.add_gram(2.0f, {x.data(), 40, 30, 35}, cuda::view_of(out, 30, 30));
      return out.download();
    };
    CHECK(apart(gram(library), gram(own)) < 1e-6);
    const auto products = [&](cuda::Blas& blas) {
      const auto out = uploaded(std::vector<float>(30 * 20, 1.0f));
      blas.add_products(2.0f, {x.data(), 40, 30, 35}, {y.data(), 40, 20, 20}, cuda::view_of(out, 30, 20));
      return out.download();
    };
    CHECK(apart(products(library), products(own)) < 1e-6);
  }
}

TEST_CASE("batches by a library, with and without operands that neighbours share") {
  cuda::Device& device = test_device();
  cuda::Blas own(device, {}), library(device, cuda::Precision::F32, stand_in());
  const size_t count = 6, m = 9, n = 14, k = 11;
  const auto a = uploaded(random_numbers(count * m * k, 6)), b = uploaded(random_numbers(count * n * k, 7));
  for (const size_t shared : {1, 2, 3, 6})
    for (const bool bt : {false, true}) {
      const auto product = [&](cuda::Blas& blas) {
        const cuda::Array<float> out(device, count * m * n, "out");
        blas.gemm_batched({count, m * k, n * k, m * n, shared}, false, bt, m, n, k, 0.5f, a.data(), k,
                          b.data(), bt ? k : n, 0, out.data(), n);
        return out.download();
      };
      CHECK(apart(product(library), product(own)) < 1e-6);
    }
}

TEST_CASE("stored weights by a library") {
  cuda::Device& device = test_device();
  cuda::Blas own(device, {}), library(device, cuda::Precision::F32, stand_in());
  const size_t m = 30, n = 21, k = 50;
  const auto w = random_numbers(n * k, 8);
  const auto x = uploaded(random_numbers(m * k, 9)), c = uploaded(w);
  for (const DType type : {DType::F16, DType::BF16, DType::F32})
    for (const float beta : {0.0f, 1.0f}) {
      std::vector<uint16_t> bits(n * k);
      for (size_t i = 0; i < n * k; ++i)
        bits[i] = type == DType::F16 ? float_to_half(w[i]) : float_to_bfloat(w[i]);
      const auto bits_card = uploaded(bits);
      const auto product = [&](cuda::Blas& blas) {
        const auto out = uploaded(random_numbers(m * n, 10));
        blas.times_stored(x.data(), m, k,
                          type == DType::F32 ? static_cast<const void*>(c.data()) : bits_card.data(), type, n,
                          beta, out.data(), n);
        return out.download();
      };
      CHECK(apart(product(library), product(own)) < 1e-6);
    }
}

TEST_CASE("the factor by a library, and what fails there") {
  cuda::Device& device = test_device();
  ThreadPool pool(2);
  Problem problem = random_problem(4, 200, 11);
  Matrix close(70, 70), indefinite(2, 2);
  for (size_t i = 0; i < 70; ++i) close(i, i) = 1;
  close(68, 69) = close(69, 68) = 1;  // what the damping adds is nothing in F32
  indefinite(0, 0) = indefinite(1, 1) = 1;
  indefinite(0, 1) = indefinite(1, 0) = 3;
  const std::pair<const Matrix*, double> cases[] = {
      {&problem.hessian, 0.01}, {&close, 1e-9}, {&indefinite, 0.2}};
  for (const bool solver : {true, false}) {
    cuda::Blas blas(device, cuda::Precision::F32, stand_in(solver));
    cuda::Card card{device, blas};
    for (const auto& [h, damping] : cases) {
      const auto got = cuda::factorize(card, on_card(*h), {damping, true});
      const Factor cpu = factorize(*h, {damping, true}, pool).value();
      CHECK(got.damping_used == cpu.damping_used);
      CHECK(got.notes == cpu.notes);
      CHECK(apart(from_card(got.r), cpu.r) < 1e-5);
    }
  }
}

#endif
