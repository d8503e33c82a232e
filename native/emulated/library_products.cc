#include "cuda/math/library_products.h"

namespace signum::cuda {

std::unique_ptr<LibraryProducts> open_library_products(Device&, const std::string&) { return {}; }

}  // namespace signum::cuda
