// Where NVIDIA's libraries are looked for, and in which order. Nothing here needs a card.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "device/device.h"

namespace signum::cuda {

// What the search looks at.
struct SearchPlaces {
  std::string folder;     // that a person has named; empty: none
  std::string root = "";  // in front of every absolute folder
  // A variable of the environment, or null.
  std::function<const char*(const char*)> variable;

  static SearchPlaces of_this_machine(std::string folder);
};

// A library by the file names that it goes by, those to be taken first in front.
struct LibraryKind {
  std::string name;  // "cublas"
  std::vector<std::string> files;
  std::string property;  // its function (which, int* value): 0, 1, 2 are the version's parts
  int least_major = 0;   // of the version
  // Libraries that it is linked with, which may lie beside it or in pip's other packages.
  std::vector<std::string> needs;
};
// cublas, cublasLt and cusolver, those that go with this version of CUDA first (12, 13).
std::vector<LibraryKind> library_kinds(int cuda_major);

// The folders that there are, in order: the one that a person has named; the loader's own search (an empty
// name); CUDA_PATH and CUDA_HOME; /usr/local/cuda and /usr/local/cuda-*, later ones first; pip's nvidia
// packages and conda's libraries of the environment that is active, then of the usual Pythons and of conda in
// its usual places with all its environments: a program started from a desktop has none that is active.
std::vector<std::string> library_folders(const SearchPlaces& places);

// What to try, in order: paths of files that there are, and bare file names for the loader.
std::vector<std::string> library_paths(const LibraryKind& kind, const SearchPlaces& places);

// A library in this process. It stays to the end.
struct LoadedLibrary {
  DeviceLibrary about;
  void* handle = nullptr;

  // Null where the library lacks it.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }
  void* symbol(const char* name) const;
};

// The first that loads, answers for its version and that `accepted` takes.
std::optional<LoadedLibrary> load_library(
    const LibraryKind& kind, const SearchPlaces& places,
    const std::function<bool(const LoadedLibrary&)>& accepted = [](const LoadedLibrary&) { return true; });

}  // namespace signum::cuda
