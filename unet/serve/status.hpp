// Why a request is not answered as asked: an HTTP status (RFC 9110), and a line for people.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace plume::serve {

enum class Status : int {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  request_timeout = 408,
  conflict = 409,
  content_too_large = 413,
  unsupported_media_type = 415,
  expectation_failed = 417,
  unprocessable_content = 422,
  header_fields_too_large = 431,
  internal_server_error = 500,
  not_implemented = 501,
  service_unavailable = 503,
  insufficient_storage = 507,
};

// The standard's phrase: "Bad Request".
[[nodiscard]] std::string_view phrase(Status status);

// The same as a word of programs, the "error" of an answer's body: "bad_request".
[[nodiscard]] std::string error_name(Status status);

class RequestError : public std::runtime_error {
 public:
  RequestError(Status status, const std::string& detail) : std::runtime_error(detail), status_(status) {}
  [[nodiscard]] Status status() const noexcept { return status_; }

 private:
  Status status_;
};

template <class... Args>
[[nodiscard]] RequestError request_error(Status status, fmt::format_string<Args...> format, Args&&... args) {
  return {status, fmt::format(format, std::forward<Args>(args)...)};
}

// The body that goes with it: {"error": ..., "detail": ..., "request_id": ...}.
[[nodiscard]] std::string error_body(Status status, std::string_view detail, std::string_view request_id);

}  // namespace plume::serve
