// What API Gateway hands to a function, and what it wants back: HTTP in JSON.
// Source: Amazon API Gateway Developer Guide, "Lambda proxy integration", payload format versions 1.0 and 2.0.
#pragma once

#include <string>
#include <string_view>

#include "cloud/http/message.hpp"

namespace plume::lambda {

struct Request {
  std::string method;
  cloud::Headers headers;  // the first of each name
  std::string body;        // decoded

  // Empty where there is none of that name.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Of either format. An event that is no HTTP at all, as when a function is called directly, is the body of a POST.
// Throws RequestError where it is damaged.
[[nodiscard]] Request parse_event(std::string_view event);

struct Answer {
  int status = 200;
  cloud::Headers headers;
  std::string body;
};

// The same form for both formats. Bodies that are no text go in base64.
[[nodiscard]] std::string to_json(const Answer& answer);

// What a caller did wrong, or what went wrong behind: an HTTP status and a line.
class RequestError : public std::runtime_error {
 public:
  RequestError(int status, const std::string& detail) : std::runtime_error(detail), status_(status) {}
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_;
};

// {"error", "detail", "request_id"}, as plume-infer's own.
[[nodiscard]] Answer problem(int status, const std::string& detail, const std::string& request_id);

}  // namespace plume::lambda
