// One quantized linear as it is stored (docs/FORMAT.md), before and after it is in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/matrix.h"

namespace signum {

class ThreadPool;

enum class Method : uint8_t { Rtn, Gptq, BiLLM, PbLlm, Arb, ArbX, ArbRc, Fdb, SignumRc };
const char* method_id(
    Method method);  // "rtn", "gptq", "billm", "pb-llm", "arb", "arb-x", "arb-rc", "fdb", "signum-rc"
Result<Method> method_from_id(const std::string& id);
// Those with BiLLM's masks; of these the ones that may split the salient columns (ARB-LLM).
bool has_salient_columns(Method method);
bool may_split_salient(Method method);

// What FORMAT.md calls the layout of a linear. Fields that a method does not have keep their defaults.
struct Layout {
  Method method = Method::Rtn;
  size_t rows = 0;
  size_t columns = 0;
  DType scale_type = DType::F16;     // F16, F32 or BF16
  size_t blocksize = 128;            // billm, arb, arb-x, arb-rc, signum-rc
  int bits = 0;                      // rtn, gptq
  size_t group = 0;                  // rtn, gptq, pb-llm, fdb: stored columns per group, resolved
  bool symmetric = false;            // rtn, gptq: every zero is 2^(bits - 1), none is stored
  bool column_group_bitmap = false;  // arb, arb-x, arb-rc
  size_t splits = 1;           // arb, arb-x, arb-rc: groups of the columns that are not salient, less one
  size_t salient_columns = 0;  // billm, arb, arb-x, arb-rc: how many in all
  size_t second_columns = 0;   // signum-rc
  size_t third_columns = 0;    // signum-rc, <= second_columns
  bool column_scales = true;   // signum-rc
  int salient_bits = 8;        // pb-llm: of a salient weight's code
  size_t salient_weights = 0;  // pb-llm: how many in all
  size_t mask_low_bits = 0;    // pb-llm: salient_mask.h
  bool has_order = false;
  std::string order_tensor;  // name of the tensor that holds `order`; set by whoever writes the shard

  size_t blocks() const { return (columns + blocksize - 1) / blocksize; }
  // billm, arb, arb-x, arb-rc: groups of the columns that are not salient, and of the salient ones.
  size_t groups() const { return splits + 1; }
  size_t salient_groups() const { return column_group_bitmap ? groups() : 1; }
};

std::string layout_to_json(const Layout& layout);  // canonical: sorted keys, no spaces
Result<Layout> layout_from_json(const std::string& name, const std::string& text);  // every field checked

// One tensor of a linear; its name in the file is "<linear>.<role>".
struct PackedTensor {
  std::string role;
  DType dtype;
  std::vector<size_t> shape;
  std::vector<uint8_t> bytes;
};

struct PackedLinear {
  Layout layout;
  std::vector<PackedTensor> tensors;  // without `order`
  std::shared_ptr<const std::vector<uint32_t>>
      order;  // stored column -> input column; shared by linears of one input; null without

  const PackedTensor* find(const std::string& role) const;
  size_t bytes() const;  // of `tensors` only
  double nominal_bits() const;
};

// U16 or U32 [columns], as stored under role "order".
PackedTensor order_tensor(const std::vector<uint32_t>& order);
Result<std::vector<uint32_t>> order_from_tensor(DType dtype, size_t columns, const uint8_t* bytes,
                                                size_t size);

// The tensors that a layout must have: roles, dtypes and shapes. Used to check a file before decoding it.
struct TensorRule {
  std::string role;
  DType dtype;
  std::vector<size_t> shape;
};
std::vector<TensorRule> tensor_rules(const Layout& layout);

// The linear's weights [rows, columns] F32 exactly as FORMAT.md defines them. Error packed_broken when
// tensors do not fit the layout.
Result<Matrix> decode(const PackedLinear& linear, ThreadPool& pool);

}  // namespace signum
