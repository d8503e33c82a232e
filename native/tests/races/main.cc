// Whether races of kernels are found (SIGNUM_SANITIZE=races): one by name, whose report ctest looks for.
#include <cstdio>
#include <string>

#include "kernels.h"

int main(int count, char** arguments) {
  using namespace signum;
  const std::string which = count > 1 ? arguments[1] : "";
  auto device = std::move(cuda::Device::open("cuda", {})).value();
  cuda::Array<float> x(*device, 1000, "x");
  x.fill(0);
  if (which == "blocks")
    add_at_one_place(*device, x.data());
  else
    reverse(*device, x.data(), which == "barrier");
  device->stream().wait();
  std::puts("done");
  return 0;
}
