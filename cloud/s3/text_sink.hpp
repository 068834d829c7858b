// An object into memory, verified.
#pragma once

#include <limits>
#include <string>

#include "cloud/http/message.hpp"

namespace plume::cloud {

class TextSink final : public BodySink {
 public:
  // Throws cloud::Error (usage, code EntityTooLarge) where there are more bytes.
  explicit TextSink(std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) : most_(most) {}

  void begin(const HttpResponse& head) override;
  void write(std::span<const std::byte> bytes) override;
  // Throws TransportError where the checksum that the reply has is of other bytes.
  void end(const HttpResponse& response) override;
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void check(std::uint64_t size) const;

  std::uint64_t most_;
  std::string text_;
};

}  // namespace plume::cloud
