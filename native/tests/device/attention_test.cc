// Attention on the card against the CPU's.
#include "cuda/model/attention.h"

#include <doctest/doctest.h>

#include "base/pool.h"
#include "on_card.h"

using namespace signum;

namespace {

struct Inputs {
  Matrix q, k, v;
};

Inputs random_inputs(const AttentionShape& shape, size_t sequences, uint32_t seed) {
  const size_t keys = sequences * (shape.past + shape.length);
  return {random_matrix(sequences * shape.length, shape.heads * shape.head_dim, seed),
          random_matrix(keys, shape.kv_heads * shape.head_dim, seed + 1),
          random_matrix(keys, shape.kv_heads * shape.head_dim, seed + 2)};
}

Matrix expected_of(const AttentionShape& shape, const Inputs& in) {
  ThreadPool pool(2);
  Matrix out(in.q.rows(), in.q.columns());
  causal_attention(shape, in.q.view(), in.k.view(), in.v.view(), out.view(), pool);
  return out;
}

}  // namespace

TEST_CASE("attention of whole sequences") {
  const AttentionShape shapes[] = {
      {.length = 70, .heads = 2, .kv_heads = 1, .head_dim = 10, .scale = 0.3f},
      {.length = 130, .heads = 4, .kv_heads = 2, .head_dim = 64, .scale = 0.125f},
      {.length = 66, .heads = 2, .kv_heads = 2, .head_dim = 96, .scale = 0.1f, .window = 20},
      {.length = 90, .past = 33, .heads = 2, .kv_heads = 1, .head_dim = 128, .scale = 0.4f, .cap = 3},
      {.length = 70, .heads = 1, .kv_heads = 1, .head_dim = 256, .scale = 0.06f, .window = 31},
      {.length = 1, .past = 5, .heads = 2, .kv_heads = 1, .head_dim = 20, .scale = 1},
      {.length = 140,
       .past = 200,
       .heads = 1,
       .kv_heads = 1,
       .head_dim = 32,
       .scale = 0.2f,
       .cap = 2,
       .window = 70},
  };
  in_both_orders([&] {
    for (const AttentionShape& shape : shapes) {
      CAPTURE(shape.head_dim);
      const Inputs in = random_inputs(shape, 2, uint32_t(shape.head_dim));
      const auto q = on_card(in.q), k = on_card(in.k), v = on_card(in.v);
      const cuda::DeviceMatrix out(test_device(), in.q.rows(), in.q.columns(), "a test");
      causal_attention(test_device(), shape, q.view(), k.view(), v.view(), out.view());
      CHECK(apart(from_card(out), expected_of(shape, in)) < 3e-6);
    }
  });
}

TEST_CASE("one query over a cache, its keys split") {
  const AttentionShape shapes[] = {
      {.length = 1, .past = 0, .heads = 2, .kv_heads = 1, .head_dim = 10, .scale = 0.3f},
      {.length = 1, .past = 299, .heads = 12, .kv_heads = 1, .head_dim = 64, .scale = 0.125f, .cap = 4},
      {.length = 1, .past = 127, .heads = 4, .kv_heads = 2, .head_dim = 128, .scale = 0.1f},
      {.length = 1, .past = 400, .heads = 2, .kv_heads = 2, .head_dim = 256, .scale = 0.06f, .window = 150},
  };
  in_both_orders([&] {
    for (const AttentionShape& shape : shapes) {
      CAPTURE(shape.head_dim);
      const size_t capacity = 450;
      const Inputs in = random_inputs(shape, 1, uint32_t(shape.past));
      // What stands behind the last token is never read: the emulated device holds NaN there.
      const cuda::DeviceMatrix k(test_device(), capacity, in.k.columns(), "a test");
      const cuda::DeviceMatrix v(test_device(), capacity, in.v.columns(), "a test");
      test_device().upload(k.data(), in.k.data(), in.k.size() * sizeof(float));
      test_device().upload(v.data(), in.v.data(), in.v.size() * sizeof(float));
      const auto q = on_card(in.q);
      const cuda::DeviceMatrix out(test_device(), 1, in.q.columns(), "a test");
      cuda::QueryAttention query{.shape = shape, .capacity = capacity};
      cuda::Array<float> room(test_device(), query_attention_floats(query), "a test");
      attend_query(test_device(), query, q.view(), k.view(), v.view(), room.data(), out.view());
      const Matrix expected = expected_of(shape, in);
      CHECK(apart(from_card(out), expected) < 3e-6);
      cuda::Array<uint32_t> past(test_device(), 1, "a test");
      past.upload(std::vector<uint32_t>{uint32_t(shape.past)});
      query.past_on_card = past.data();
      query.shape.past = 0;
      attend_query(test_device(), query, q.view(), k.view(), v.view(), room.data(), out.view());
      CHECK(apart(from_card(out), expected) < 3e-6);
    }
  });
}

TEST_CASE("heads that no tile fits are refused") {
  for (const size_t dim : {size_t(257), size_t(288), size_t(33)}) {
    const auto refused = cuda::guarded_status([&] { cuda::check_head_dim(dim); });
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == "device_failed");
  }
}
