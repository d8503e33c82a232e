// ggml's own types, from its library: ggml-types LIBRARY size|quantize|dequantize TYPE COLUMNS. size prints
// the values and the bytes of a block; the others turn standard input into standard output, F32 rows into the
// type's bytes, and those into F32. TYPE is ggml's number.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

template <class Function>
Function* function(void* library, const std::string& name) {
  void* found = ::dlsym(library, name.c_str());
  if (!found) fail(::dlerror());
  return reinterpret_cast<Function*>(found);
}

std::vector<char> read_all() {
  std::vector<char> bytes;
  char buffer[1 << 16];
  while (const size_t got = std::fread(buffer, 1, sizeof buffer, stdin))
    bytes.insert(bytes.end(), buffer, buffer + got);
  return bytes;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) fail("usage: ggml-types LIBRARY size|quantize|dequantize TYPE COLUMNS");
  void* library = ::dlopen(arguments[1], RTLD_NOW);
  if (!library) fail(::dlerror());
  const bool quantize = arguments[2] == std::string("quantize");
  const int type = std::atoi(arguments[3]);
  const int64_t columns = std::atoll(arguments[4]);
  const int64_t block = function<int64_t(int)>(library, "ggml_blck_size")(type);
  const size_t bytes = function<size_t(int)>(library, "ggml_type_size")(type);
  if (arguments[2] == std::string("size")) {
    std::printf("%d %d\n", int(block), int(bytes));
    return 0;
  }
  const std::vector<char> in = read_all();
  if (quantize) {
    const int64_t rows = int64_t(in.size() / sizeof(float)) / columns;
    std::vector<char> out(size_t(rows * columns / block) * bytes);
    function<size_t(int, const float*, void*, int64_t, int64_t, int64_t, const float*)>(
        library, "ggml_quantize_chunk")(type, reinterpret_cast<const float*>(in.data()), out.data(), 0, rows,
                                        columns, nullptr);
    std::fwrite(out.data(), 1, out.size(), stdout);
    return 0;
  }
  std::string name = function<const char*(int)>(library, "ggml_type_name")(type);
  name = name == "f16"    ? "ggml_fp16_to_fp32_row"
         : name == "bf16" ? "ggml_bf16_to_fp32_row"
                          : "dequantize_row_" + name;
  std::vector<float> out(in.size() / bytes * size_t(block));
  function<void(const void*, float*, int64_t)>(library, name)(in.data(), out.data(), int64_t(out.size()));
  std::fwrite(out.data(), sizeof(float), out.size(), stdout);
}
