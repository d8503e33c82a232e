// Pack, decode, pack again: the stored bits can be read out of the decoded weights, and are the same bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/pool.h"
#include "tests/all_recipes.h"

using namespace signum;

namespace {

// A tensor of planes or codes: which bits of it belong to the weight in row i and stored column j, where they
// do (docs/FORMAT.md).
struct Digits {
  std::string role;
  size_t width;                           // bits of a weight
  std::vector<std::optional<size_t>> at;  // [rows * columns]: its first bit, from the start of the tensor
};

unsigned read(const PackedTensor& tensor, size_t at, size_t width) {
  unsigned value = 0;
  for (size_t bit = 0; bit < width; ++bit)
    value |= (tensor.bytes[(at + bit) / 8] >> ((at + bit) % 8) & 1u) << bit;
  return value;
}

void write(PackedTensor& tensor, size_t at, size_t width, unsigned value) {
  for (size_t bit = 0; bit < width; ++bit) {
    uint8_t& byte = tensor.bytes[(at + bit) / 8];
    const auto mask = uint8_t(1u << ((at + bit) % 8));
    byte = uint8_t((byte & ~mask) | (value >> bit & 1u ? mask : 0));
  }
}

PackedTensor& tensor_of(PackedLinear& linear, const std::string& role) {
  return *std::ranges::find_if(linear.tensors, [&](const PackedTensor& t) { return t.role == role; });
}

// Row after row, padded to bytes; rank(j): place in the row, or none.
template <class Rank>
Digits in_rows(const PackedLinear& linear, const std::string& role, size_t width, const Rank& rank) {
  Digits digits{role, width, {}};
  const size_t row_bits = 8 * linear.find(role)->shape[1];
  for (size_t i = 0; i < linear.layout.rows; ++i)
    for (size_t j = 0; j < linear.layout.columns; ++j) {
      const std::optional<size_t> place = rank(j);
      digits.at.push_back(place ? std::optional(i * row_bits + *place * width) : std::nullopt);
    }
  return digits;
}

// pb-llm: the weights that the codes' bits change are salient, and numbered row after row.
Digits salient_codes(const PackedLinear& linear, ThreadPool& pool) {
  PackedLinear zeros = linear, ones = linear;
  std::ranges::fill(tensor_of(zeros, "code").bytes, uint8_t(0));
  std::ranges::fill(tensor_of(ones, "code").bytes, uint8_t(255));
  const Matrix low = decode(zeros, pool).value(), high = decode(ones, pool).value();
  Digits digits{"code", size_t(linear.layout.salient_bits) - 1, {}};
  size_t salient = 0;
  for (size_t k = 0; k < low.size(); ++k)
    digits.at.push_back(low.data()[k] != high.data()[k] ? std::optional(salient++ * digits.width)
                                                        : std::nullopt);
  REQUIRE(salient == linear.layout.salient_weights);
  return digits;
}

std::vector<Digits> digits_of(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& layout = linear.layout;
  std::vector<Digits> all;
  const auto whole = [](size_t j) { return std::optional(j); };
  const auto before = [](size_t end) {
    return [end](size_t j) { return j < end ? std::optional(j) : std::nullopt; };
  };
  if (layout.method == Method::Rtn || layout.method == Method::Gptq)
    return {in_rows(linear, "code", size_t(layout.bits), whole)};
  if (layout.method == Method::PbLlm) return {in_rows(linear, "sign", 1, whole), salient_codes(linear, pool)};
  if (layout.method == Method::SignumRc) {
    all.push_back(in_rows(linear, "sign", 1, whole));
    if (layout.second_columns) all.push_back(in_rows(linear, "sign2", 1, before(layout.second_columns)));
    if (layout.third_columns) all.push_back(in_rows(linear, "sign3", 1, before(layout.third_columns)));
    return all;
  }
  for (const char* role : {"sign", "plane2", "group2"})
    if (linear.find(role)) all.push_back(in_rows(linear, role, 1, whole));
  if (linear.find("plane3")) {
    std::vector<std::optional<size_t>> ranks;
    size_t rank = 0;
    for (size_t j = 0; j < layout.columns; ++j)
      ranks.push_back(read(*linear.find("salient"), j, 1) ? std::optional(rank++) : std::nullopt);
    all.push_back(in_rows(linear, "plane3", 1, [&](size_t j) { return ranks[j]; }));
  }
  return all;
}

}  // namespace

TEST_CASE("the bits can be read out of the decoded weights, and pack to the same bytes") {
  ThreadPool pool(2);
  const Problem p = uneven_problem(21, 173, 4);
  for (const auto& [name, recipe] : all_recipes(DType::F32)) {
    CAPTURE(name);
    const PackedLinear linear = run(recipe, p, pool).value();
    const Matrix decoded = decode(linear, pool).value();
    const size_t rows = linear.layout.rows, columns = linear.layout.columns;
    const std::vector<Digits> digits = digits_of(linear, pool);
    size_t bits = 0;
    for (const Digits& its : digits) bits += its.width;

    // Every weight with each choice of its bits, and the choices that give what it is.
    std::vector<std::vector<unsigned>> choices(rows * columns);
    for (unsigned choice = 0; choice < 1u << bits; ++choice) {
      PackedLinear trial = linear;
      unsigned rest = choice;
      for (const Digits& its : digits) {
        PackedTensor& tensor = tensor_of(trial, its.role);
        for (const auto& at : its.at)
          if (at) write(tensor, *at, its.width, rest & ((1u << its.width) - 1));
        rest >>= its.width;
      }
      const auto values = decode(trial, pool);
      if (!values.ok()) continue;  // bits that a reader refuses: a group that there is not
      for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j) {
          const size_t column = linear.order ? (*linear.order)[j] : j;
          if (values.value()(i, column) == decoded(i, column)) choices[i * columns + j].push_back(choice);
        }
    }

    // What is certain is packed anew; what a scale of 0 hides is taken over.
    PackedLinear again = linear;
    size_t shift = 0, certain = 0, all = 0;
    for (const Digits& its : digits) {
      PackedTensor& tensor = tensor_of(again, its.role);
      std::ranges::fill(tensor.bytes, uint8_t(0));
      for (size_t k = 0; k < its.at.size(); ++k) {
        if (!its.at[k]) continue;
        std::set<unsigned> values;
        for (const unsigned choice : choices[k]) values.insert(choice >> shift & ((1u << its.width) - 1));
        REQUIRE(!values.empty());
        const unsigned stored = read(*linear.find(its.role), *its.at[k], its.width);
        CHECK(values.contains(stored));
        write(tensor, *its.at[k], its.width, values.size() == 1 ? *values.begin() : stored);
        certain += values.size() == 1;
        ++all;
      }
      shift += its.width;
    }
    CHECK(same(again, linear));
    CHECK(certain > all * 3 / 4);
  }
}
