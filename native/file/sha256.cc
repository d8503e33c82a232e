#include "file/sha256.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

namespace signum {

struct Sha256::Context {
  EVP_MD_CTX* evp = nullptr;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  // The machine's openssl.cnf must not decide which SHA-256 runs.
  static const int ready = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  context_->evp = EVP_MD_CTX_new();
  if (!ready || !context_->evp || EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc();
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_->evp); }

void Sha256::update(std::span<const uint8_t> bytes) {
  EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(context_->evp, digest, &length);
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const uint8_t> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

Result<std::string> sha256_file(const std::string& path, const std::function<Status(uint64_t)>& read) {
  const auto error = [&](int number) {
    return Error{"read_failed", path + " cannot be read: " + std::strerror(number) + ".", ""};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error(errno);
  Sha256 hash;
  std::vector<uint8_t> buffer(size_t(4) << 20);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int number = errno;
      ::close(fd);
      if (got < 0) return error(number);
      return hash.hex();
    }
    hash.update({buffer.data(), size_t(got)});
    if (!read) continue;
    if (Status status = read(uint64_t(got)); !status.ok()) {
      ::close(fd);
      return status.error();
    }
  }
}

}  // namespace signum
