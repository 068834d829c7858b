// A body in the encoding aws-chunked, made while it is sent: read once, where a hash or checksum in the header would
// take another reading before.
#pragma once

#include <string>
#include <vector>

#include "cloud/http/message.hpp"
#include "cloud/s3/checksum.hpp"
#include "cloud/signing/chunked.hpp"

namespace plume::cloud {

class ChunkedBody final : public Body {
 public:
  static constexpr std::size_t chunk_size = 64UL * 1024;

  // With a signature for each chunk or without, and the bytes' checksum behind them as a trailer, where it is not none.
  // `inner` outlives it. Something is to be behind a body without signatures: throws std::logic_error.
  ChunkedBody(Body& inner, bool with_signatures, ChecksumKind trailer);

  // What x-amz-content-sha256 says of it.
  [[nodiscard]] std::string_view payload() const;
  // Before every sending: what the chunks' signatures hang on.
  void begin(const SigningKey& key, Time time, const std::string& seed_signature);

  [[nodiscard]] std::uint64_t decoded_size() const { return inner_.size(); }
  [[nodiscard]] std::uint64_t size() const override;  // as it is sent
  void rewind() override;
  [[nodiscard]] std::size_t read(std::span<std::byte> into) override;

 private:
  void fill();
  void append(std::string_view text);
  [[nodiscard]] Headers trailers(std::string value) const;

  Body& inner_;
  bool with_signatures_;
  ChecksumKind trailer_;
  ChunkFrames first_;  // before any chunk
  ChunkFrames frames_;
  Checksum sum_;
  std::vector<std::byte> buffer_;  // a chunk with its frame
  std::size_t at_ = 0;             // of the buffer
  bool ended_ = false;
};

}  // namespace plume::cloud
