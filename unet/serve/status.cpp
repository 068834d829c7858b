// Names of statuses, and the JSON that tells of an error.
#include "unet/serve/status.hpp"

#include <cctype>
#include <nlohmann/json.hpp>

namespace plume::serve {

std::string_view phrase(Status status) {
  switch (status) {
    case Status::ok: return "OK";
    case Status::bad_request: return "Bad Request";
    case Status::not_found: return "Not Found";
    case Status::method_not_allowed: return "Method Not Allowed";
    case Status::not_acceptable: return "Not Acceptable";
    case Status::request_timeout: return "Request Timeout";
    case Status::conflict: return "Conflict";
    case Status::content_too_large: return "Content Too Large";
    case Status::unsupported_media_type: return "Unsupported Media Type";
    case Status::expectation_failed: return "Expectation Failed";
    case Status::unprocessable_content: return "Unprocessable Content";
    case Status::header_fields_too_large: return "Request Header Fields Too Large";
    case Status::internal_server_error: return "Internal Server Error";
    case Status::not_implemented: return "Not Implemented";
    case Status::service_unavailable: return "Service Unavailable";
    case Status::insufficient_storage: return "Insufficient Storage";
  }
  return "Unknown";
}

std::string error_name(Status status) {
  std::string name(phrase(status));
  for (char& c : name) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::string error_body(Status status, std::string_view detail, std::string_view request_id) {
  const nlohmann::ordered_json body{{"error", error_name(status)}, {"detail", detail}, {"request_id", request_id}};
  // What a client sent may be in the detail, and need not be UTF-8.
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace plume::serve
