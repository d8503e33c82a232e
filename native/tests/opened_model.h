// A model opened, its layers and its embedded tokens: what most tests of a model begin with.
#pragma once

#include <doctest/doctest.h>

#include "calibrate/hessian.h"
#include "model/decoder_layer.h"
#include "tests/tiny_model.h"

inline std::shared_ptr<const signum::Model> opened(const std::string& folder) {
  auto model = signum::Model::open(folder);
  if (!model.ok()) MESSAGE(model.error().message);
  REQUIRE(model.ok());
  return model.value();
}

inline std::shared_ptr<const signum::Model> opened(const TinyModel& tiny, const std::string& folder) {
  write_model(tiny, folder);
  return opened(folder);
}

inline std::shared_ptr<const signum::Model> opened(const TinyModel& tiny, const TemporaryFolder& folder) {
  return opened(tiny, folder.path);
}

inline signum::DecoderLayer loaded(const signum::Model& model, size_t layer, signum::ThreadPool& pool) {
  auto result = signum::DecoderLayer::load(model, layer, pool);
  REQUIRE(result.ok());
  return std::move(result).value();
}

inline signum::Activations embedded(const signum::Model& model, const std::vector<uint32_t>& tokens,
                                    size_t length, signum::ThreadPool& pool,
                                    const signum::ActivationLimit& limit = {}) {
  auto result = signum::Activations::embedded(model, tokens, length, limit, pool);
  REQUIRE(result.ok());
  return std::move(result).value();
}
