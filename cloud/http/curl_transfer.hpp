// One request on its way through libcurl.
#pragma once

#include <array>
#include <exception>
#include <future>
#include <string>

#include "cloud/http/curl_api.hpp"
#include "cloud/http/transport.hpp"

namespace plume::cloud {

class CurlTransfer {
 public:
  // `easy` is this transfer's until it has ended; the request outlives it.
  CurlTransfer(const HttpRequest& request, CURL* easy, const TransportSettings& settings);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  [[nodiscard]] CURL* easy() const noexcept { return easy_; }
  // The reply, or why there is none, for whoever waits.
  void end(CURLcode code);
  [[nodiscard]] std::future<HttpResponse> reply() { return reply_.get_future(); }

 private:
  void set_up(const TransportSettings& settings);
  void set_method();
  void set_headers();
  void take_header(std::string_view line);
  void take_body(std::span<const std::byte> bytes);
  void begin_sink();
  [[nodiscard]] std::exception_ptr failure(CURLcode code) const;

  // Called by libcurl; an exception must not pass through it, so it is kept until the end.
  static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static std::size_t on_header(char* line, std::size_t size, std::size_t count, void* self);
  static std::size_t on_write(char* bytes, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  const HttpRequest& request_;
  CURL* easy_;
  std::size_t most_kept_;
  curl_slist* headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> message_{};
  HttpResponse response_;
  bool sink_begun_ = false;
  std::exception_ptr thrown_;
  std::promise<HttpResponse> reply_;
};

}  // namespace plume::cloud
