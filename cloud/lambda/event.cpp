// Version 2.0 is told by its "version"; version 1.0 has "httpMethod" at the top.
#include "cloud/lambda/event.hpp"

#include <nlohmann/json.hpp>

#include "kernels/base/base64.hpp"

namespace plume::lambda {

using namespace cloud;

namespace {

using nlohmann::json;

std::string text_at(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& object_at(const json& object, const char* name) {
  static const json none = json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : none;
}

bool is_text(std::string_view media_type) {
  return media_type.starts_with("text/") || media_type.starts_with("application/json") ||
         media_type.find("+json") != std::string_view::npos;
}

const char* name_of_status(int status) {
  switch (status) {
    case 400: return "bad request";
    case 403: return "forbidden";
    case 404: return "not found";
    case 405: return "method not allowed";
    case 406: return "not acceptable";
    case 413: return "content too large";
    case 415: return "unsupported media type";
    case 422: return "unprocessable content";
    case 429: return "too many requests";
    case 502: return "bad gateway";
    case 503: return "service unavailable";
    case 504: return "gateway timeout";
    default: return status < 500 ? "request refused" : "internal error";
  }
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  const std::string* const value = find_header(headers, name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

Request parse_event(std::string_view event) {
  const json document = json::parse(event, nullptr, false);
  if (!document.is_object()) throw RequestError(400, "the event is no JSON object");
  Request request;
  request.method = text_at(object_at(object_at(document, "requestContext"), "http"), "method");
  if (request.method.empty()) request.method = text_at(document, "httpMethod");
  if (request.method.empty() && !document.contains("body")) {
    request.method = "POST";
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::string(event);
    return request;
  }
  if (request.method.empty()) request.method = "POST";
  for (const auto& [name, value] : object_at(document, "headers").items())
    if (value.is_string()) request.headers.push_back({name, value.get<std::string>()});
  request.body = text_at(document, "body");
  const auto encoded = document.find("isBase64Encoded");
  if (encoded != document.end() && encoded->is_boolean() && encoded->get<bool>()) {
    auto decoded = from_base64(request.body);
    if (!decoded) throw RequestError(400, "the body is no base64, but the event says so");
    request.body = *std::move(decoded);
  }
  return request;
}

std::string to_json(const Answer& answer) {
  const std::string* const type = find_header(answer.headers, "content-type");
  const bool text = type != nullptr && is_text(*type);
  json headers = json::object();
  for (const Header& header : answer.headers) headers[header.name] = header.value;
  const nlohmann::ordered_json document{{"statusCode", answer.status},
                                        {"headers", headers},
                                        {"body", text ? answer.body : base64(answer.body)},
                                        {"isBase64Encoded", !text}};
  // What is no UTF-8 must not keep an answer from being given.
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

Answer problem(int status, const std::string& detail, const std::string& request_id) {
  const nlohmann::ordered_json body{{"error", name_of_status(status)}, {"detail", detail}, {"request_id", request_id}};
  return {status, {{"Content-Type", "application/json"}}, body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace plume::lambda
