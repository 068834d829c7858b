// Size first, checksum last.
#include "cloud/s3/text_sink.hpp"

#include <charconv>

#include "cloud/http/transport.hpp"
#include "cloud/s3/checksum.hpp"

namespace plume::cloud {

void TextSink::check(std::uint64_t size) const {
  if (size > most_)
    throw Error(Failure::usage, fmt::format("the object has {} bytes or more, at most {} are taken", size, most_),
                "EntityTooLarge");
}

void TextSink::begin(const HttpResponse& head) {
  text_.clear();
  const std::string_view length = head.header("content-length");
  std::uint64_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  check(size);
}

void TextSink::write(std::span<const std::byte> bytes) {
  check(text_.size() + bytes.size());
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void TextSink::end(const HttpResponse& response) {
  const auto expected = expected_checksum(response);
  if (!expected) return;
  Checksum sum(expected->kind);
  sum.add(as_bytes(text_));
  if (sum.finish() != expected->value)
    throw TransportError(TransportError::Kind::broken, fmt::format("{} of what came differs", name_of(expected->kind)));
}

}  // namespace plume::cloud
