// HTTP requests and replies, and where their bodies come from and go to.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cloud/endpoints/url.hpp"
#include "cloud/signing/headers.hpp"

namespace plume::cloud {

// What is sent. A request that is tried again reads it again from its beginning.
class Body {
 public:
  virtual ~Body() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  virtual void rewind() = 0;
  // Fills `into` as far as there is something left; how many bytes that were.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> into) = 0;
};

class TextBody final : public Body {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  void rewind() override { at_ = 0; }
  [[nodiscard]] std::size_t read(std::span<std::byte> into) override;

 private:
  std::string text_;
  std::size_t at_ = 0;
};

struct HttpResponse {
  int status = 0;
  Headers headers;
  std::string body;  // empty where a sink took it

  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }
  // Empty where there is none of that name.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Takes the body of a reply of 2xx; other replies' bodies are explanations, and stay with the reply.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // At the reply's first byte; what an earlier try has written is void.
  virtual void begin(const HttpResponse& head) = 0;
  virtual void write(std::span<const std::byte> bytes) = 0;
  // After the last byte, by who understands the reply; throws TransportError where what came is not what was sent.
  virtual void end(const HttpResponse&) {}
};

struct Timeouts {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds stall{30'000};  // without a byte in either direction
  std::chrono::milliseconds whole{0};       // 0: as long as it takes
};

struct HttpRequest {
  std::string method;
  Url url;
  Headers headers;           // without Content-Length
  Body* body = nullptr;      // nullptr: none
  BodySink* sink = nullptr;  // nullptr: the reply keeps its body
  Timeouts timeouts;
  bool by_proxy = true;  // as the environment says; never for a machine's own credentials
  const std::atomic<bool>* cancelled = nullptr;
};

}  // namespace plume::cloud
