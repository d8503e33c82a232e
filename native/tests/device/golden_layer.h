// The layers of tests/data/golden.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "base/matrix.h"
#include "file/safetensors.h"

namespace signum {

inline const char* const kGoldenLayers[] = {"layer-40x128", "layer-64x288-dead", "layer-96x320"};

inline Matrix golden_matrix(const std::string& layer, const std::string& name) {
  const char* data = std::getenv("SIGNUM_TEST_DATA");
  REQUIRE_MESSAGE(data, "SIGNUM_TEST_DATA is not set: run through ctest");
  auto file = SafetensorsFile::open(std::string(data) + "/golden/" + layer + ".safetensors");
  REQUIRE(file.ok());
  const TensorView* view = file.value()->find(name);
  REQUIRE_MESSAGE(view, name);
  Matrix m(view->shape[0], view->shape[1]);
  std::memcpy(m.data(), view->bytes.data(), m.size() * sizeof(float));
  return m;
}

}  // namespace signum
