// Safetensors in and out, hashes, whole-or-nothing writing, mapped files that change.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "base/half.h"
#include "file/durable_file.h"
#include "file/json_file.h"
#include "file/safetensors.h"
#include "file/sha256.h"
#include "tests/temporary_folder.h"

using namespace signum;

namespace {

std::string with_length(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

// Code and message of opening these bytes as a file named x.safetensors; "ok" when it opens.
std::string open_error(const std::string& bytes) {
  TemporaryFolder folder;
  write_bytes(folder / "x.safetensors", bytes);
  auto file = SafetensorsFile::open(folder / "x.safetensors");
  return file.ok() ? "ok" : file.error().code + " " + file.error().message;
}

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

TEST_CASE("bad headers: the exact error of each") {
  const std::string four(4, '\1'), eight(8, '\1');
  struct Case {
    std::string header, data, error;
  };
  const std::string nested(100000, '[');
  const Case cases[] = {
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})", four,
       "x.safetensors: the header is not JSON."},
      {"", "", "x.safetensors: the header is not JSON."},
      {nested, "", "x.safetensors: the header is not JSON."},
      {"[]", "", "x.safetensors: the header is not an object."},
      {"{\"\xff\":1}", "", "x.safetensors: the header is not UTF-8 at byte 2."},
      {"{\"\xc0\x80\":1}", "", "x.safetensors: the header is not UTF-8 at byte 2."},
      {"{\"ab\xed\xa0\x80\":1}", "", "x.safetensors: the header is not UTF-8 at byte 4."},
      {"{\"\xe2\x82", "", "x.safetensors: the header is not UTF-8 at byte 2."},
      {R"({"a":1})", "", "x.safetensors: tensor a: the entry is not an object."},
      {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", four, "x.safetensors: tensor a: dtype is missing."},
      {R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: dtype is not text."},
      {R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: dtype F8_E4M3 is not known."},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", four, "x.safetensors: tensor a: shape is missing."},
      {R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: shape is not a list."},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: shape holds something that is not a whole number from 0 up."},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: shape holds something that is not a whole number from 0 up."},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: shape holds something that is not a whole number from 0 up."},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", four,
       "x.safetensors: tensor a: the product of shape does not fit 64 bits."},
      {R"({"a":{"dtype":"F32","shape":[1]}})", four, "x.safetensors: tensor a: data_offsets is missing."},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}})", four,
       "x.safetensors: tensor a: data_offsets is not a list of two."},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,"4"]}})", four,
       "x.safetensors: tensor a: data_offsets holds something that is not a whole number from 0 up."},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", four,
       "x.safetensors: tensor a: data_offsets begin 4 after their end 0."},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", four,
       "x.safetensors: tensor a: data_offsets end at 8, the data has 4 bytes."},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", eight,
       "x.safetensors: tensor a: data_offsets hold 8 bytes, dtype and shape need 4."},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       eight, "x.safetensors: tensors a and b overlap."},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       eight, "x.safetensors: bytes 2 to 4 before tensor b belong to no tensor."},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", eight,
       "x.safetensors: 4 bytes after the last tensor belong to no tensor."},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       eight, "x.safetensors: the key a stands twice in the header."},
      {R"({"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", four,
       "x.safetensors: the key dtype stands twice in the header."},
      {R"({"__metadata__":[]})", "", "x.safetensors: __metadata__ is not an object."},
      {R"({"__metadata__":{"format":1}})", "", "x.safetensors: __metadata__ format is not text."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.header.substr(0, 80));
    CHECK(open_error(with_length(c.header, c.data)) == "shard_broken " + c.error);
  }
}

TEST_CASE("bad lengths: the exact error of each") {
  CHECK(open_error("1234") ==
        "shard_broken x.safetensors: the file has 4 bytes, too few for the header's length.");
  CHECK(open_error("") ==
        "shard_broken x.safetensors: the file has 0 bytes, too few for the header's length.");
  CHECK(open_error(std::string("\x20\0\0\0\0\0\0\0{}", 10)) ==
        "shard_broken x.safetensors: the header's length 32 goes beyond the file's 10 bytes.");
  CHECK(open_error(std::string("\1\xe1\xf5\5\0\0\0\0{}", 10)) ==
        "shard_broken x.safetensors: the header's length 100000001 is above 100000000.");
  CHECK(open_error(std::string(8, '\xff')) ==
        "shard_broken x.safetensors: the header's length 18446744073709551615 is above 100000000.");
}

TEST_CASE("good files that look odd") {
  CHECK(open_error(with_length("{}", "")) == "ok");
  CHECK(open_error(with_length("{}      ", "")) == "ok");
  // No elements, a scalar, and a side of 0 beside sides whose product does not fit.
  CHECK(
      open_error(with_length(
          R"({"e":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]},)"
          R"("s":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"\u00e9":{"dtype":"BOOL","shape":[1],"data_offsets":[1,2]}})",
          "12")) == "ok");
  TemporaryFolder folder;
  auto absent = SafetensorsFile::open(folder / "none.safetensors");
  REQUIRE_FALSE(absent.ok());
  CHECK(absent.error().code == "read_failed");
  CHECK(absent.error().message ==
        (folder / "none.safetensors") + " cannot be read: No such file or directory.");
  auto directory = SafetensorsFile::open(folder.path);
  REQUIRE_FALSE(directory.ok());
  CHECK(directory.error().message == folder.path + " cannot be read: Is a directory.");
}

TEST_CASE("any flipped byte of a header gives an error or a file whose tensors lie inside it") {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  const std::string good = with_length(header, "12345678abc");
  std::mt19937 random(1);
  size_t opened = 0;
  TemporaryFolder folder;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (unsigned flips = random() % 3 + 1; flips > 0; --flips)
      bytes[random() % bytes.size()] = char(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    write_bytes(folder / "x", bytes);
    auto file = SafetensorsFile::open(folder / "x");
    if (!file.ok()) {
      CHECK(file.error().code == "shard_broken");
      continue;
    }
    ++opened;
    size_t sum = 0;
    for (const auto& [name, tensor] : file.value()->tensors()) sum += tensor.bytes.size();
    CHECK(sum <= 11);
  }
  CHECK(opened > 0);
}

TEST_CASE("F16, BF16 and F32 in a file to F32: all values, any alignment") {
  std::vector<uint8_t> bytes(65536 * 2 + 1);
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto value = uint16_t(i);
    std::memcpy(&bytes[1 + 2 * i], &value, 2);
  }
  std::vector<float> out(65536);
  size_t wrong = 0;
  to_f32(DType::F16, bytes.data() + 1, 65536, out.data());
  for (uint32_t i = 0; i < 65536; ++i)  // base_test compares half_to_float with the standard's formula
    wrong += std::bit_cast<uint32_t>(out[i]) != std::bit_cast<uint32_t>(half_to_float(uint16_t(i)));
  CHECK(wrong == 0);
  to_f32(DType::BF16, bytes.data() + 1, 65536, out.data());
  for (uint32_t i = 0; i < 65536; ++i) wrong += std::bit_cast<uint32_t>(out[i]) != i << 16;
  CHECK(wrong == 0);
  const float values[] = {1.5f, -0.0f, 3e-42f};
  std::memcpy(&bytes[3], values, sizeof values);
  to_f32(DType::F32, bytes.data() + 3, 3, out.data());
  CHECK(std::memcmp(out.data(), values, sizeof values) == 0);
}

TEST_CASE("write and read back; the bytes depend on the content alone") {
  TemporaryFolder folder;
  const std::string wide(24, 'w'), narrow(5, 'n'), half(6, 'h'), none;
  const std::vector<TensorToWrite> tensors = {{"z.narrow", DType::U8, {5}, bytes_of(narrow)},
                                              {"m.half", DType::F16, {3, 1}, bytes_of(half)},
                                              {"b.wide", DType::F32, {2, 3}, bytes_of(wide)},
                                              {"a.none", DType::F32, {0, 7}, bytes_of(none)}};
  REQUIRE(write_safetensors(folder / "x", tensors, {{"b", "2"}, {"a", "\"1\""}}, true).ok());
  REQUIRE(
      write_safetensors(folder / "y", {tensors.rbegin(), tensors.rend()}, {{"a", "\"1\""}, {"b", "2"}}, true)
          .ok());
  const std::string written = read_bytes(folder / "x");
  CHECK(written == read_bytes(folder / "y"));
  CHECK_FALSE(std::filesystem::exists(folder / "x.partial"));
  uint64_t length = 0;
  std::memcpy(&length, written.data(), 8);
  CHECK(length % 64 == 0);
  CHECK(written.substr(8 + length) == wide + half + narrow);  // largest elements first, then by name

  auto opened = SafetensorsFile::open(folder / "x");
  REQUIRE(opened.ok());
  const SafetensorsFile& file = *opened.value();
  CHECK(file.tensors().size() == 4);
  CHECK(file.find("nobody") == nullptr);
  CHECK(file.find("b.wide")->shape == std::vector<size_t>{2, 3});
  CHECK(file.find("a.none")->elements() == 0);
  CHECK(std::string(file.find("m.half")->bytes.begin(), file.find("m.half")->bytes.end()) == half);
  CHECK(file.metadata().at("a") == "\"1\"");
  const auto hashes = nlohmann::json::parse(file.metadata().at("sha256"));
  CHECK(hashes.size() == 4);
  CHECK(hashes["z.narrow"] == sha256_hex(bytes_of(narrow)));

  REQUIRE(write_safetensors(folder / "plain", {tensors[0]}, {}, false).ok());
  CHECK(read_bytes(folder / "plain").find("__metadata__") == std::string::npos);
}

TEST_CASE("what cannot be written leaves nothing behind") {
  TemporaryFolder folder;
  const std::string data(8, 'd');
  const auto write = [&](const std::string& path, std::vector<TensorToWrite> tensors) {
    return write_safetensors(path, std::move(tensors), {}, false);
  };
  auto wrong_size = write(folder / "x", {{"t", DType::F32, {3}, bytes_of(data)}});
  CHECK(wrong_size.error().code == "internal");
  auto twice =
      write(folder / "x", {{"t", DType::F32, {2}, bytes_of(data)}, {"t", DType::U8, {8}, bytes_of(data)}});
  CHECK(twice.error().message == "Tensor t would be written twice.");
  auto no_folder = write(folder / "none/x", {{"t", DType::F32, {2}, bytes_of(data)}});
  CHECK(no_folder.error().code == "write_failed");
  CHECK(no_folder.error().message == (folder / "none/x") + " cannot be written: No such file or directory.");

  // A device without space takes the place of the temporary file.
  write_bytes(folder / "x", "before");
  std::filesystem::create_symlink("/dev/full", folder / "x.partial");
  auto full = write(folder / "x", {{"t", DType::F32, {2}, bytes_of(data)}});
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code == "disk_full");
  CHECK(full.error().message.starts_with((folder / "x") + " needs "));
  CHECK(read_bytes(folder / "x") == "before");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("text files") {
  TemporaryFolder folder;
  REQUIRE(write_text_file(folder / "t", "one").ok());
  REQUIRE(write_text_file(folder / "t", "two").ok());
  CHECK(read_text_file(folder / "t").value() == "two");
  CHECK(read_text_file(folder / "t", 2).error().message ==
        (folder / "t") + " cannot be read: it has more than 2 bytes.");
  CHECK(read_text_file(folder / "none").error().code == "read_failed");
}

TEST_CASE("sha256: published vectors, pieces, files") {
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex(bytes_of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string million(1000000, 'a');
  const char* digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  CHECK(sha256_hex(bytes_of(million)) == digest);
  Sha256 pieces;
  for (size_t i = 0; i < million.size(); i += 999)
    pieces.update(bytes_of(million).subspan(i, std::min<size_t>(999, million.size() - i)));
  CHECK(pieces.hex() == digest);

  TemporaryFolder folder;
  write_bytes(folder / "m", std::string(9'000'000, 'x') + "end");
  uint64_t heard = 0;
  auto whole = sha256_file(folder / "m", [&](uint64_t bytes) {
    heard += bytes;
    return Status();
  });
  CHECK(heard == 9'000'003);
  CHECK(whole.value() == sha256_hex(bytes_of(read_bytes(folder / "m"))));
  CHECK(sha256_file(folder / "m",
                    [](uint64_t) {
                      return Status(Error{"stop", "", ""});
                    })
            .error()
            .code == "stop");
  CHECK(sha256_file(folder / "none").error().code == "read_failed");
}

TEST_CASE("a mapped file that changes is noticed") {
  TemporaryFolder folder;
  const std::string path = folder / "f";
  const auto message_after = [&](auto change) {
    write_bytes(path, "0123456789");
    auto file = MappedFile::open(path);
    REQUIRE(file.ok());
    CHECK(file.value().unchanged().ok());
    change();
    const Status status = file.value().unchanged();
    return status.ok() ? "ok" : status.error().code + " " + status.error().message;
  };
  CHECK(message_after([] {}) == "ok");
  CHECK(message_after([&] { std::filesystem::resize_file(path, 4); }) ==
        "model_changed " + path + " has another size since it was opened.");
  CHECK(message_after([&] {
          std::filesystem::last_write_time(path,
                                           std::filesystem::last_write_time(path) + std::chrono::seconds(1));
        }) == "model_changed " + path + " was written to since it was opened.");
  CHECK(message_after([&] {
          write_bytes(folder / "g", "9876543210");
          std::filesystem::rename(folder / "g", path);
        }) == "model_changed " + path + " was replaced since it was opened.");
  CHECK(message_after([&] { std::filesystem::remove(path); }) ==
        "model_changed " + path + " is gone since it was opened.");
}

TEST_CASE("reading a mapped file that shrank calls the guard; other bus errors keep their action") {
  TemporaryFolder folder;
  const std::string path = folder / "f";
  // In a child each, since both end the process. 7 = the guard was called with the path.
  const auto exit_of = [&](bool through_mapped_file) {
    write_bytes(path, std::string(100000, 'x'));
    const pid_t child = ::fork();
    if (child == 0) {
      guard_mapped_files([](const char* lost) { ::_exit(std::strstr(lost, "/f") ? 7 : 8); });
      auto file = MappedFile::open(path);
      if (!through_mapped_file) ::raise(SIGBUS);
      std::filesystem::resize_file(path, 10);
      volatile uint8_t sum = 0;
      for (uint8_t byte : file.value().bytes()) sum = uint8_t(sum + byte);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  };
  CHECK(exit_of(true) == 7);
  CHECK(exit_of(false) == -SIGBUS);
}
