// A line with the size in hexadecimal digits, the bytes, a line break; and so on to a chunk of none.
#include "cloud/signing/chunked.hpp"

#include <fmt/core.h>

namespace plume::cloud {
namespace {

constexpr std::string_view signature_name = ";chunk-signature=";
constexpr std::string_view trailer_signature_name = "x-amz-trailer-signature:";
constexpr std::uint64_t signature_size = 64;

}  // namespace

void ChunkFrames::sign(std::string_view what, std::string_view hashes) {
  previous_ = key_->sign(fmt::format("{}\n{}\n{}\n{}\n{}", what, amz_time(time_), key_->scope(), previous_, hashes));
}

std::string ChunkFrames::size_line(std::span<const std::byte> chunk) {
  if (!key_) return fmt::format("{:x}\r\n", chunk.size());
  static const std::string nothing = hex(sha256(std::string_view()));
  sign("AWS4-HMAC-SHA256-PAYLOAD", nothing + '\n' + hex(sha256(chunk)));
  return fmt::format("{:x}{}{}\r\n", chunk.size(), signature_name, previous_);
}

std::string ChunkFrames::before(std::span<const std::byte> chunk) {
  return size_line(chunk);
}

std::string ChunkFrames::end(const Headers& trailers) {
  std::string text = size_line({});
  std::string canonical;
  for (const Header& trailer : trailers) {
    text += fmt::format("{}:{}\r\n", trailer.name, trailer.value);
    canonical += fmt::format("{}:{}\n", trailer.name, trailer.value);
  }
  if (key_ && !trailers.empty()) {
    sign("AWS4-HMAC-SHA256-TRAILER", hex(sha256(canonical)));
    text += fmt::format("{}{}\r\n", trailer_signature_name, previous_);
  }
  text += "\r\n";
  return text;
}

std::uint64_t chunked_size(std::uint64_t size, std::uint64_t chunk, bool with_signatures, const Headers& trailers) {
  const auto line = [&](std::uint64_t bytes) {
    return fmt::formatted_size("{:x}", bytes) + (with_signatures ? signature_name.size() + signature_size : 0) + 2;
  };
  std::uint64_t total = size / chunk * (line(chunk) + chunk + 2);
  if (const std::uint64_t rest = size % chunk; rest > 0) total += line(rest) + rest + 2;
  total += line(0);
  for (const Header& trailer : trailers) total += trailer.name.size() + 1 + trailer.value.size() + 2;
  if (with_signatures && !trailers.empty()) total += trailer_signature_name.size() + signature_size + 2;
  return total + 2;
}

}  // namespace plume::cloud
