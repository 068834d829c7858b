// Looks at the body's first character: '<' is XML or HTML, all else is tried as JSON.
#include "cloud/protocols/service_error.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

namespace plume::cloud {
namespace {

char first_character(std::string_view body) {
  const std::size_t at = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return at == std::string_view::npos ? '\0' : body[at];
}

// Error itself, or within ErrorResponse (query) or Response/Errors (EC2).
pugi::xml_node error_node(const pugi::xml_document& document) {
  const pugi::xml_node root = document.document_element();
  const std::string_view name = root.name();
  if (name == "Error") return root;
  if (name == "ErrorResponse") return root.child("Error");
  if (name == "Response") return root.child("Errors").child("Error");
  return {};
}

void read_xml(std::string_view body, ServiceError& error) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return;
  const pugi::xml_node node = error_node(document);
  error.code = node.child_value("Code");
  error.message = node.child_value("Message");
  error.type = node.child_value("Type");
  error.region = node.child_value("Region");
  error.server_time = node.child_value("ServerTime");
  const pugi::xml_node root = document.document_element();
  for (const pugi::xml_node place : {node.child("RequestId"), root.child("RequestId"), root.child("RequestID")})
    if (error.request_id.empty()) error.request_id = place.child_value();
}

// aws.protocoltests.restjson#FooError:http://internal.amazon.com/ is FooError.
std::string shape_name(std::string_view text) {
  text = text.substr(0, text.find(':'));
  return std::string(text.substr(text.find('#') + 1));
}

void read_json(std::string_view body, ServiceError& error) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) return;
  const auto first = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* const name : names)
      if (const auto found = document.find(name); found != document.end() && found->is_string()) return *found;
    return {};
  };
  error.message = first({"message", "Message", "errorMessage"});
  if (error.code.empty()) error.code = shape_name(first({"__type", "code", "Code"}));
}

std::string name_of_status(int status) {
  switch (status) {
    case 301: return "PermanentRedirect";
    case 304: return "NotModified";
    case 307: return "TemporaryRedirect";
    case 400: return "BadRequest";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "NotFound";
    case 405: return "MethodNotAllowed";
    case 409: return "Conflict";
    case 412: return "PreconditionFailed";
    case 413: return "PayloadTooLarge";
    case 416: return "InvalidRange";
    case 429: return "TooManyRequests";
    case 500: return "InternalError";
    case 502: return "BadGateway";
    case 503: return "ServiceUnavailable";
    case 504: return "GatewayTimeout";
    default: return fmt::format("Status{}", status);
  }
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool holds_error(const HttpResponse& response) {
  if (first_character(response.body) != '<') return false;
  pugi::xml_document document;
  return document.load_buffer(response.body.data(), response.body.size()) && error_node(document);
}

ServiceError parse_service_error(const HttpResponse& response) {
  ServiceError error;
  error.status = response.status;
  error.code = shape_name(response.header("x-amzn-errortype"));
  if (first_character(response.body) == '<') {
    read_xml(response.body, error);
  } else {
    read_json(response.body, error);
  }
  if (error.code.empty()) error.code = name_of_status(error.status);
  for (const char* const name : {"x-amzn-requestid", "x-amz-request-id"})
    if (error.request_id.empty()) error.request_id = response.header(name);
  if (const std::string_view region = response.header("x-amz-bucket-region"); !region.empty()) error.region = region;
  return error;
}

Failure failure_of(const ServiceError& error) {
  static constexpr std::array<std::string_view, 14> credentials{"AccessDenied",
                                                                "AccessDeniedException",
                                                                "AuthFailure",
                                                                "ExpiredToken",
                                                                "ExpiredTokenException",
                                                                "IncompleteSignature",
                                                                "InvalidAccessKeyId",
                                                                "InvalidClientTokenId",
                                                                "InvalidSignatureException",
                                                                "InvalidToken",
                                                                "RequestExpired",
                                                                "RequestTimeTooSkewed",
                                                                "SignatureDoesNotMatch",
                                                                "UnrecognizedClientException"};
  if (is_one_of(credentials, error.code)) return Failure::credentials;
  if (error.status == 404 || error.status == 410 || error.code.starts_with("NoSuch")) return Failure::not_found;
  if (error.status == 409 || error.status == 412) return Failure::conflict;
  if (error.status == 401 || error.status == 403) return Failure::credentials;
  if (error.status == 429 || error.status >= 500) return Failure::unavailable;
  // 200 with an error inside says by its code whose fault it is.
  if (error.code == "InternalError" || error.code == "SlowDown") return Failure::unavailable;
  return Failure::failed;
}

Error to_error(const std::string& what, const ServiceError& error) {
  std::string text = fmt::format("{}: {} ({})", what, error.code, error.status);
  if (!error.message.empty()) text += ": " + error.message;
  if (!error.request_id.empty()) text += fmt::format(" (request {})", error.request_id);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return {failure_of(error), text, error.code};
}

}  // namespace plume::cloud
