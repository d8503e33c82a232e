#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "device.h"

namespace {
std::unique_ptr<signum::cuda::Device> device;
}

signum::cuda::Device& signum::test_device() { return *device; }

int main(int count, char** arguments) {
  auto opened = signum::cuda::Device::open("cuda", {});
  if (!opened.ok()) {
    std::printf("skipped: no device (%s)\n", opened.error().message.c_str());
    return 77;  // SKIP_RETURN_CODE in CMakeLists.txt
  }
  device = std::move(opened).value();
  doctest::Context context(count, arguments);
  const int code = context.run();
  device.reset();
  return code;
}
