// One context a thread: making one takes longer than hashing a small request.
#include "cloud/signing/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "cloud/error.hpp"
#include "cloud/signing/secret.hpp"

namespace plume::cloud {
namespace {

constexpr std::size_t block = 64;  // of SHA-256

void check(int outcome) {
  if (outcome != 1) throw environment_error("OpenSSL's libcrypto cannot compute SHA-256 or MD5");
}

const EVP_MD* fetch(const char* name) {
  const EVP_MD* const found = EVP_MD_fetch(nullptr, name, nullptr);
  if (found == nullptr) check(0);
  return found;
}

// Looked up once; EVP_sha256() looks up at every use.
template <std::size_t Size>
const EVP_MD* algorithm() {
  static const EVP_MD* const found = fetch(Size == 32 ? "SHA256" : "MD5");
  return found;
}

EVP_MD_CTX* context_of(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

}  // namespace

void wipe(void* memory, std::size_t size) noexcept {
  OPENSSL_cleanse(memory, size);
}

template <std::size_t Size>
void Hash<Size>::Free::operator()(void* context) const noexcept {
  EVP_MD_CTX_free(context_of(context));
}

template <std::size_t Size>
Hash<Size>::Hash() : context_(EVP_MD_CTX_new()) {
  check(EVP_DigestInit_ex2(context_of(context_.get()), algorithm<Size>(), nullptr));
}

template <std::size_t Size>
void Hash<Size>::add(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size()));
}

template <std::size_t Size>
std::array<std::uint8_t, Size> Hash<Size>::finish() {
  std::array<std::uint8_t, Size> digest{};
  EVP_MD_CTX* const context = context_of(context_.get());
  check(EVP_DigestFinal_ex(context, digest.data(), nullptr));
  check(EVP_DigestInit_ex2(context, nullptr, nullptr));
  return digest;
}

template class Hash<16>;
template class Hash<32>;

Digest sha256(std::span<const std::byte> bytes) {
  thread_local Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

Digest hmac_sha256(std::span<const std::uint8_t> key, std::string_view message) {
  thread_local Sha256 hash;
  std::array<std::uint8_t, block> pad{};
  if (key.size() > block) {
    const Digest shorter = sha256(std::as_bytes(key));
    std::copy(shorter.begin(), shorter.end(), pad.begin());
  } else {
    std::copy(key.begin(), key.end(), pad.begin());
  }
  for (auto& byte : pad) byte ^= 0x36;
  hash.add(std::as_bytes(std::span(pad)));
  hash.add(message);
  const Digest inner = hash.finish();
  for (auto& byte : pad) byte ^= 0x36 ^ 0x5C;
  hash.add(std::as_bytes(std::span(pad)));
  hash.add(std::as_bytes(std::span(inner)));
  wipe(pad.data(), pad.size());
  return hash.finish();
}

std::string sha1_hex(std::string_view text) {
  std::array<std::uint8_t, 20> digest{};
  check(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr));
  return hex(digest);
}

void append_hex(std::string& text, std::span<const std::uint8_t> bytes) {
  const auto digit = [](int value) { return static_cast<char>(value + (value < 10 ? '0' : 'a' - 10)); };
  const std::size_t before = text.size();
  text.resize(before + 2 * bytes.size());
  char* out = text.data() + before;
  for (const std::uint8_t byte : bytes) {
    *out++ = digit(byte >> 4);
    *out++ = digit(byte & 15);
  }
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

}  // namespace plume::cloud
