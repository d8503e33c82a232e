// Which of NVIDIA's libraries would be taken, with folders and libraries made up here.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "cuda/library_search.h"
#include "tests/temporary_folder.h"

using namespace signum;
namespace fs = std::filesystem;

namespace {

struct Machine {
  TemporaryFolder folder;
  std::map<std::string, std::string> variables;

  std::string at(const std::string& path) const { return folder.path + path; }
  void put(const std::string& path, const std::string& library = {}) const {
    fs::create_directories(fs::path(at(path)).parent_path());
    if (library.empty())
      std::ofstream(at(path)) << "not a library";
    else
      fs::copy_file(library, at(path));
  }
  cuda::SearchPlaces places(const std::string& named = {}) const {
    return {named.empty() ? "" : at(named), folder.path, [this](const char* name) -> const char* {
              const auto found = variables.find(name);
              return found == variables.end() ? nullptr : found->second.c_str();
            }};
  }
  std::vector<std::string> paths(const cuda::LibraryKind& kind, const std::string& named = {}) const {
    auto out = cuda::library_paths(kind, places(named));
    for (std::string& path : out)
      if (path.starts_with(folder.path)) path = path.substr(folder.path.size());
    return out;
  }
};

cuda::LibraryKind cublas(int major = 13) { return cuda::library_kinds(major)[0]; }

}  // namespace

TEST_CASE("without anything only the loader is asked, for the libraries that go with CUDA first") {
  const Machine machine;
  CHECK(machine.paths(cublas(13)) ==
        std::vector<std::string>{"libcublas.so.13", "libcublas.so.12", "libcublas.so"});
  CHECK(machine.paths(cublas(12)) ==
        std::vector<std::string>{"libcublas.so.12", "libcublas.so.13", "libcublas.so"});
  CHECK(machine.paths(cuda::library_kinds(13)[2]) ==
        std::vector<std::string>{"libcusolver.so.12", "libcusolver.so.11", "libcusolver.so"});
}

TEST_CASE("the order of the places") {
  Machine machine;
  machine.put("/named/libcublas.so.12");
  machine.put("/named/lib/libcublas.so.13");
  machine.put("/path/lib64/libcublas.so.13");
  machine.put("/home-of-cuda/targets/x86_64-linux/lib/libcublas.so");
  machine.put("/usr/local/cuda/lib64/libcublas.so.12");
  machine.put("/usr/local/cuda-12.8/lib64/libcublas.so.12");
  machine.put("/usr/local/cuda-13.10/lib64/libcublas.so.13");
  machine.put("/usr/local/cuda-13.9/lib64/libcublas.so.13");
  machine.put("/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
  machine.put("/venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12");
  machine.put("/conda/lib/libcublas.so.12");
  machine.put("/home/lib");
  machine.put("/home/.local/lib/python3.9/site-packages/nvidia/cublas/lib/libcublas.so.12");
  machine.put("/home/.local/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12");
  machine.put("/home/miniconda3/lib/libcublas.so.12");
  machine.put("/home/miniconda3/envs/torch/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13");
  machine.put("/opt/conda/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12");
  machine.put("/usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib/libcublas.so.12");
  machine.put("/usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublasLt.so.12");  // of another name
  machine.variables = {{"CUDA_PATH", machine.at("/path")},
                       {"CUDA_HOME", machine.at("/home-of-cuda")},
                       {"VIRTUAL_ENV", machine.at("/venv")},
                       {"CONDA_PREFIX", machine.at("/conda")},
                       {"HOME", machine.at("/home")}};
  CHECK(machine.paths(cublas(), "/named") ==
        std::vector<std::string>{
            "/named/libcublas.so.12",
            "/named/lib/libcublas.so.13",
            "libcublas.so.13",
            "libcublas.so.12",
            "libcublas.so",
            "/path/lib64/libcublas.so.13",
            "/home-of-cuda/targets/x86_64-linux/lib/libcublas.so",
            "/usr/local/cuda/lib64/libcublas.so.12",
            "/usr/local/cuda-13.10/lib64/libcublas.so.13",
            "/usr/local/cuda-13.9/lib64/libcublas.so.13",
            "/usr/local/cuda-12.8/lib64/libcublas.so.12",
            "/venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
            "/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13",
            "/conda/lib/libcublas.so.12",
            "/home/.local/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12",
            "/home/.local/lib/python3.9/site-packages/nvidia/cublas/lib/libcublas.so.12",
            "/home/miniconda3/lib/libcublas.so.12",
            "/home/miniconda3/envs/torch/lib/python3.12/site-packages/nvidia/cu13/lib/libcublas.so.13",
            "/usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib/libcublas.so.12",
            "/opt/conda/lib/python3.11/site-packages/nvidia/cublas/lib/libcublas.so.12",
        });
}

TEST_CASE("a person may point at an environment, at pip's packages or at one of them") {
  Machine machine;
  const std::string packages = "/venv/lib/python3.12/site-packages";
  machine.put(packages + "/nvidia/cublas/lib/libcublas.so.12");
  machine.put(packages + "/nvidia/cu13/lib/libcublas.so.13");
  const auto first = [&](const std::string& named) { return machine.paths(cublas(), named).front(); };
  for (const std::string& named :
       {std::string("/venv"), packages, packages + "/nvidia", packages + "/nvidia/",
        packages + "/nvidia/cublas", packages + "/nvidia/cublas/lib"}) {
    CAPTURE(named);
    std::string path = first(named);
    if (const size_t twice = path.find("//"); twice != std::string::npos) path.erase(twice, 1);
    CHECK(path == packages + "/nvidia/cublas/lib/libcublas.so.12");
  }
}

TEST_CASE("the first that loads, answers and is new enough is taken") {
  Machine machine;
  machine.put("/named/libsignum-fake.so.13");                        // no library at all
  machine.put("/named/libsignum-fake.so.12", FAKE_LIBRARY_11);       // too old
  machine.put("/path/lib64/libsignum-fake.so.12", FAKE_LIBRARY_12);  // taken
  machine.put("/home/lib64/libsignum-fake.so.13", FAKE_LIBRARY_13);  // later
  machine.variables = {{"CUDA_PATH", machine.at("/path")}, {"CUDA_HOME", machine.at("/home")}};
  cuda::LibraryKind kind{
      "fake", {"libsignum-fake.so.13", "libsignum-fake.so.12"}, "cublasGetProperty", 12, {}};
  const auto found = cuda::load_library(kind, machine.places("/named"));
  REQUIRE(found);
  CHECK(found->about.name == "fake");
  CHECK(found->about.path == machine.at("/path/lib64/libsignum-fake.so.12"));
  CHECK(found->about.version == "12.4.2");
  CHECK(found->symbol("cublasGetProperty") != nullptr);
  CHECK(found->symbol("cublasCreate_v2") == nullptr);

  // One that is refused is passed over.
  const auto next = cuda::load_library(kind, machine.places("/named"), [](const cuda::LoadedLibrary& one) {
    return one.about.version.starts_with("13");
  });
  REQUIRE(next);
  CHECK(next->about.path == machine.at("/home/lib64/libsignum-fake.so.13"));

  kind.property = "cublasLtGetProperty";  // which none of them has
  CHECK(!cuda::load_library(kind, machine.places("/named")));
}
