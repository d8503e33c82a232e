#include "cuda/library_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace signum::cuda {
namespace {

namespace fs = std::filesystem;

// "cuda-13.0" before "cuda-12.8" before "cuda-9": by the numbers in the name, larger first.
bool later_name(const std::string& a, const std::string& b) {
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (std::isdigit(static_cast<unsigned char>(a[i])) && std::isdigit(static_cast<unsigned char>(b[j]))) {
      char *a_end, *b_end;
      const unsigned long x = std::strtoul(a.c_str() + i, &a_end, 10),
                          y = std::strtoul(b.c_str() + j, &b_end, 10);
      if (x != y) return x > y;
      i = size_t(a_end - a.c_str());
      j = size_t(b_end - b.c_str());
    } else {
      if (a[i] != b[j]) return a[i] > b[j];
      ++i;
      ++j;
    }
  }
  return a.size() - i > b.size() - j;
}

// Folders in `folder` whose name begins so, later ones first.
std::vector<std::string> folders_in(const std::string& folder, const std::string& beginning) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(beginning) && fs::is_directory(it->path(), error)) names.push_back(name);
    error.clear();
  }
  std::sort(names.begin(), names.end(), later_name);
  for (std::string& name : names) name = folder + "/" + name;
  return names;
}

class Folders {
 public:
  void add(const std::string& folder) {
    std::error_code error;
    if (fs::is_directory(folder, error) && std::ranges::find(list_, folder) == list_.end())
      list_.push_back(folder);
  }
  void add_loader() { list_.push_back(""); }
  void add_toolkit(const std::string& folder) {
    for (const char* inside : {"", "/lib64", "/lib", "/targets/x86_64-linux/lib", "/targets/sbsa-linux/lib"})
      add(folder + inside);
  }
  // The Pythons whose libraries lie in `folder`: pip's nvidia packages.
  void add_pythons(const std::string& folder) {
    for (const std::string& python : folders_in(folder, "python"))
      for (const char* packages : {"/site-packages", "/dist-packages"})
        add_packages(python + packages + "/nvidia");
  }
  void add_packages(const std::string& nvidia) {
    for (const std::string& package : folders_in(nvidia, "")) add(package + "/lib");
  }
  // Whatever of a toolkit, an environment or pip's packages a person points at.
  void add_named(const std::string& folder) {
    add_toolkit(folder);
    add_pythons(folder + "/lib");
    add_packages(folder + "/nvidia");
    if (fs::path(folder + "/").parent_path().filename() == "nvidia") add_packages(folder);
  }
  // A virtual environment or one of conda's, which has libraries of its own as well.
  void add_environment(const std::string& folder) {
    add_pythons(folder + "/lib");
    add(folder + "/lib");
  }
  void add_conda(const std::string& folder) {
    add_environment(folder);
    for (const std::string& environment : folders_in(folder + "/envs", "")) add_environment(environment);
  }
  std::vector<std::string> taken() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

}  // namespace

SearchPlaces SearchPlaces::of_this_machine(std::string folder) {
  return {std::move(folder), "", [](const char* name) { return std::getenv(name); }};
}

std::vector<LibraryKind> library_kinds(int cuda_major) {
  // cuSOLVER's numbers are one behind CUDA's.
  const auto files = [&](const std::string& name, int behind) {
    std::vector<int> majors = {13, 12};
    if (cuda_major == 12) std::ranges::reverse(majors);
    std::vector<std::string> out;
    for (const int major : majors) out.push_back("lib" + name + ".so." + std::to_string(major - behind));
    out.push_back("lib" + name + ".so");
    return out;
  };
  return {{"cublas", files("cublas", 0), "cublasGetProperty", 12, {"cublasLt"}},
          {"cublasLt", files("cublasLt", 0), "cublasLtGetProperty", 12, {}},
          {"cusolver",
           files("cusolver", 1),
           "cusolverGetProperty",
           11,
           {"nvJitLink", "cublasLt", "cublas", "cusparse"}}};
}

std::vector<std::string> library_folders(const SearchPlaces& places) {
  const auto variable = [&](const char* name) -> std::string {
    const char* value = places.variable ? places.variable(name) : nullptr;
    return value ? value : "";
  };
  Folders folders;
  if (!places.folder.empty()) folders.add_named(places.folder);
  folders.add_loader();
  for (const char* name : {"CUDA_PATH", "CUDA_HOME"})
    if (const std::string value = variable(name); !value.empty()) folders.add_toolkit(value);
  const std::string& root = places.root;
  folders.add_toolkit(root + "/usr/local/cuda");
  for (const std::string& toolkit : folders_in(root + "/usr/local", "cuda-")) folders.add_toolkit(toolkit);
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string value = variable(name); !value.empty()) folders.add_environment(value);
  if (const std::string home = variable("HOME"); !home.empty()) {
    folders.add_pythons(home + "/.local/lib");
    for (const char* conda : {"/miniforge3", "/mambaforge", "/miniconda3", "/anaconda3"})
      folders.add_conda(home + conda);
  }
  for (const char* system : {"/usr/local/lib", "/usr/local/lib64", "/usr/lib", "/usr/lib64"})
    folders.add_pythons(root + system);
  folders.add_conda(root + "/opt/conda");
  return folders.taken();
}

std::vector<std::string> library_paths(const LibraryKind& kind, const SearchPlaces& places) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const std::string& folder : library_folders(places))
    for (const std::string& file : kind.files) {
      if (folder.empty())
        paths.push_back(file);
      else if (fs::exists(folder + "/" + file, error))
        paths.push_back(folder + "/" + file);
    }
  return paths;
}

}  // namespace signum::cuda
