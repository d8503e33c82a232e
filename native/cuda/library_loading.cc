#include <dlfcn.h>

#include <filesystem>

#include "cuda/library_search.h"

namespace signum::cuda {
namespace {

namespace fs = std::filesystem;

// What a library is linked with is found by the loader when it is in the process already.
bool load_from(const fs::path& folder, const std::string& needed) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string().starts_with("lib" + needed + ".so."))
      return dlopen(it->path().c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr;
  return false;
}
// What lies beside it, in the order in which they need each other.
void load_beside(const LibraryKind& kind, const fs::path& folder) {
  for (const std::string& needed : kind.needs) load_from(folder, needed);
}
// pip gives each library a folder of its own: nvidia/cusolver/lib, nvidia/cublas/lib, ...
void load_from_packages(const LibraryKind& kind, const fs::path& folder) {
  const fs::path packages = folder.parent_path().parent_path();
  if (packages.filename() != "nvidia") return;
  std::error_code error;
  for (const std::string& needed : kind.needs)
    for (fs::directory_iterator it(packages, error), end; !error && it != end; it.increment(error))
      load_from(it->path() / "lib", needed);
}

void* open(const LibraryKind& kind, const std::string& path) {
  const auto attempt = [&] { return dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL); };
  const fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) return attempt();
  load_beside(kind, folder);
  if (void* handle = attempt()) return handle;
  load_from_packages(kind, folder);
  return attempt();
}

std::optional<LoadedLibrary> load(const LibraryKind& kind, const std::string& path) {
  LoadedLibrary library;
  library.handle = open(kind, path);
  if (!library.handle) return {};
  auto* property = library.function<int(int, int*)>(kind.property.c_str());
  int version[3] = {};
  for (int part = 0; property && part < 3; ++part)
    if (property(part, &version[part]) != 0) property = nullptr;
  Dl_info info;
  if (!property || version[0] < kind.least_major || dladdr(reinterpret_cast<void*>(property), &info) == 0) {
    dlclose(library.handle);
    return {};
  }
  library.about = {
      kind.name, info.dli_fname,
      std::to_string(version[0]) + "." + std::to_string(version[1]) + "." + std::to_string(version[2])};
  return library;
}

}  // namespace

void* LoadedLibrary::symbol(const char* name) const { return dlsym(handle, name); }

std::optional<LoadedLibrary> load_library(const LibraryKind& kind, const SearchPlaces& places,
                                          const std::function<bool(const LoadedLibrary&)>& accepted) {
  for (const std::string& path : library_paths(kind, places))
    if (auto library = load(kind, path); library && accepted(*library)) return library;
  return {};
}

}  // namespace signum::cuda
