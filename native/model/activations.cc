#include "model/activations.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "file/durable_file.h"
#include "model/ends.h"

namespace signum {
namespace {

std::string spill_folder(const ActivationLimit& limit) {
  if (!limit.folder.empty()) return limit.folder;
  std::error_code ignored;
  const auto temporary = std::filesystem::temp_directory_path(ignored);
  return ignored ? "." : temporary.string();
}

Error file_error(int number, const std::string& folder, size_t bytes) {
  const std::string amount = std::to_string(bytes);
  if (number == ENOSPC || number == EDQUOT || number == EFBIG)
    return {"disk_full",
            "The activations need " + amount + " bytes in " + folder + ", but only " +
                std::to_string(free_bytes(folder)) + " are free.",
            std::strerror(number)};
  return {"write_failed",
          "A file of " + amount + " bytes for activations cannot be made in " + folder + ": " +
              std::strerror(number) + ".",
          ""};
}

// A file without a name, its space reserved: a disk that fills up later cannot break the mapping.
Result<int> open_unlinked(const std::string& folder, size_t bytes) {
  std::string path = folder + "/signum-activations-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) return file_error(errno, folder, bytes);
  ::unlink(path.c_str());
  if (const int number = ::posix_fallocate(fd, 0, off_t(bytes)); number != 0) {
    ::close(fd);
    return file_error(number, folder, bytes);
  }
  return fd;
}

Result<float*> map_file(const std::string& folder, size_t bytes) {
  SIGNUM_TAKE(const int fd, open_unlinked(folder, bytes));
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  const int number = errno;
  ::close(fd);  // the mapping keeps the file alive
  if (mapped == MAP_FAILED) return file_error(number, folder, bytes);
  return static_cast<float*>(mapped);
}

Result<float*> map_memory(size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return Error{"memory_short",
                 "The activations need " + std::to_string(bytes) + " bytes of memory, which are not there.",
                 std::strerror(errno)};
  return static_cast<float*>(mapped);
}

}  // namespace

Result<Activations> Activations::create(size_t sequences, size_t length, size_t hidden,
                                        const ActivationLimit& limit) {
  Activations made;
  made.sequences_ = sequences;
  made.length_ = length;
  made.hidden_ = hidden;
  const size_t bytes = sequences * length * hidden * sizeof(float);
  if (bytes == 0) return made;
  made.in_file_ = bytes > limit.memory_bytes;
  SIGNUM_TAKE(made.data_, made.in_file_ ? map_file(spill_folder(limit), bytes) : map_memory(bytes));
  made.bytes_ = bytes;
  return made;
}

Result<Activations> Activations::embedded(const Model& model, std::span<const uint32_t> tokens, size_t length,
                                          const ActivationLimit& limit, ThreadPool& pool) {
  const size_t sequences = tokens.size() / length;
  SIGNUM_TAKE(Activations made, create(sequences, length, model.config().hidden, limit));
  SIGNUM_TRY(embed(model, tokens.first(sequences * length), length, made.batch(0, sequences), pool));
  return made;
}

Activations::Activations(Activations&& other) noexcept { *this = std::move(other); }

Activations& Activations::operator=(Activations&& other) noexcept {
  if (this == &other) return *this;
  if (data_) ::munmap(data_, bytes_);
  sequences_ = other.sequences_;
  length_ = other.length_;
  hidden_ = other.hidden_;
  in_file_ = other.in_file_;
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Activations::~Activations() {
  if (data_) ::munmap(data_, bytes_);
}

View Activations::batch(size_t first, size_t count) {
  return {data_ + first * length_ * hidden_, count * length_, hidden_, hidden_};
}

ConstView Activations::batch(size_t first, size_t count) const {
  return {data_ + first * length_ * hidden_, count * length_, hidden_, hidden_};
}

}  // namespace signum
