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
  if (outcome != 1) throw environment_error("OpenSSL's libcrypto cannot compute SHA-256");
}

// Looked up once; EVP_sha256() looks up at every use.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (found == nullptr) check(0);
  return found;
}

EVP_MD_CTX* context_of(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

}  // namespace

void wipe(void* memory, std::size_t size) noexcept {
  OPENSSL_cleanse(memory, size);
}

void Sha256::Free::operator()(void* context) const noexcept {
  EVP_MD_CTX_free(context_of(context));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  check(EVP_DigestInit_ex2(context_of(context_.get()), algorithm(), nullptr));
}

void Sha256::add(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size()));
}

Digest Sha256::finish() {
  Digest digest{};
  EVP_MD_CTX* const context = context_of(context_.get());
  check(EVP_DigestFinal_ex(context, digest.data(), nullptr));
  check(EVP_DigestInit_ex2(context, nullptr, nullptr));
  return digest;
}

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

std::string hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text(2 * bytes.size(), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  return text;
}

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL writes a 0 behind
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(3 * (text.size() / 4), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

}  // namespace plume::cloud
