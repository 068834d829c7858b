// One chunk at a time.
#include "cloud/s3/chunked_body.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace plume::cloud {

ChunkedBody::ChunkedBody(Body& inner, bool with_signatures, ChecksumKind trailer)
    : inner_(inner), with_signatures_(with_signatures), trailer_(trailer), sum_(trailer) {
  if (!with_signatures && trailer == ChecksumKind::none)
    throw std::logic_error("a body in chunks has signatures or a trailer");
}

std::string_view ChunkedBody::payload() const {
  if (!with_signatures_) return streaming_unsigned_trailer;
  return trailer_ == ChecksumKind::none ? streaming_payload : streaming_payload_trailer;
}

void ChunkedBody::begin(const SigningKey& key, Time time, const std::string& seed_signature) {
  if (with_signatures_) first_ = ChunkFrames(key, time, seed_signature);
}

Headers ChunkedBody::trailers(std::string value) const {
  if (trailer_ == ChecksumKind::none) return {};
  return {{header_of(trailer_), std::move(value)}};
}

std::uint64_t ChunkedBody::size() const {
  const std::string as_long = Checksum(trailer_).finish();
  return chunked_size(inner_.size(), chunk_size, with_signatures_, trailers(as_long));
}

void ChunkedBody::rewind() {
  inner_.rewind();
  frames_ = first_;
  sum_ = Checksum(trailer_);
  buffer_.clear();
  at_ = 0;
  ended_ = false;
}

void ChunkedBody::append(std::string_view text) {
  const auto bytes = as_bytes(text);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void ChunkedBody::fill() {
  std::vector<std::byte> chunk(chunk_size);
  std::size_t size = 0;
  while (size < chunk_size) {  // a chunk that is not the last has its full size, whatever the body gives at once
    const std::size_t got = inner_.read(std::span(chunk).subspan(size));
    if (got == 0) break;
    size += got;
  }
  chunk.resize(size);
  buffer_.clear();
  at_ = 0;
  if (chunk.empty()) {
    append(frames_.end(trailers(trailer_ == ChecksumKind::none ? std::string() : sum_.finish())));
    ended_ = true;
    return;
  }
  if (trailer_ != ChecksumKind::none) sum_.add(chunk);
  append(frames_.before(chunk));
  buffer_.insert(buffer_.end(), chunk.begin(), chunk.end());
  append("\r\n");
}

std::size_t ChunkedBody::read(std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (at_ == buffer_.size()) {
      if (ended_) break;
      fill();
    }
    const std::size_t size = std::min(into.size() - done, buffer_.size() - at_);
    std::memcpy(into.data() + done, buffer_.data() + at_, size);
    done += size;
    at_ += size;
  }
  return done;
}

}  // namespace plume::cloud
