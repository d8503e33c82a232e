// cuBLAS and cuSOLVER are found at run time, so that the worker starts without them.
#include <cuda_runtime.h>

#include "cuda/library_search.h"
#include "cuda/math/library_products.h"

namespace signum::cuda {

// All that are looked for; those not found have no path.
std::vector<DeviceLibrary> find_libraries(const std::string& folder) {
  const SearchPlaces places = SearchPlaces::of_this_machine(folder);
  std::vector<DeviceLibrary> libraries;
  for (const LibraryKind& kind : library_kinds(CUDART_VERSION / 1000)) {
    const auto library = load_library(kind, places);
    libraries.push_back(library ? library->about : DeviceLibrary{kind.name, "", ""});
  }
  return libraries;
}

std::unique_ptr<LibraryProducts> open_library_products(Device& device, const std::string& folder) {
  return load_library_products(device, SearchPlaces::of_this_machine(folder), CUDART_VERSION / 1000);
}

}  // namespace signum::cuda
