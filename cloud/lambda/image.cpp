// The body as it is, or an object by its name.
#include "cloud/lambda/image.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "cloud/s3/text_sink.hpp"

namespace plume::lambda {

using namespace cloud;

namespace {

using nlohmann::json;

// A name takes a few hundred bytes; nested lists of pixels are not worth parsing here.
constexpr std::size_t longest_name_request = 16UL * 1024;

std::optional<json> name_request(const Request& request) {
  const std::string type = lower_case(request.header("content-type"));
  if (!type.empty() && !type.starts_with("application/json")) return std::nullopt;
  if (request.body.size() > longest_name_request) return std::nullopt;
  auto document = json::parse(request.body, nullptr, false);
  if (!document.is_object() || !document.contains("file_name")) return std::nullopt;
  return document;
}

std::string member(const json& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end() || found->is_null()) return {};
  if (!found->is_string()) throw RequestError(400, fmt::format("\"{}\" is no string", name));
  return found->get<std::string>();
}

std::string type_of_name(std::string_view key) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> types{{
      {".npy", "application/x-npy"},
      {".tif", "image/tiff"},
      {".tiff", "image/tiff"},
      {".png", "image/png"},
      {".json", "application/json"},
  }};
  const std::string name = lower_case(key);
  for (const auto& [ending, type] : types)
    if (name.ends_with(ending)) return std::string(type);
  return {};
}

Image image_from_s3(const json& document, const ImageRules& rules, S3& s3) {
  ObjectName name{member(document, "bucket"), member(document, "file_name")};
  if (name.key.empty()) throw RequestError(400, "\"file_name\" is empty");
  if (!rules.bucket.empty()) {
    if (!name.bucket.empty() && name.bucket != rules.bucket)
      throw RequestError(403, fmt::format("images come from the bucket {} alone", rules.bucket));
    name.bucket = rules.bucket;
  }
  if (name.bucket.empty()) throw RequestError(400, "the request names no \"bucket\"");
  TextSink sink(rules.most);
  const HttpResponse reply = s3.get(name, sink);
  Image image{sink.take(), member(document, "content_type"), true};
  if (image.content_type.empty()) image.content_type = type_of_name(name.key);
  if (image.content_type.empty()) image.content_type = reply.header("content-type");
  return image;
}

}  // namespace

Image image_of(const Request& request, const ImageRules& rules, S3& s3) {
  if (const auto document = name_request(request)) return image_from_s3(*document, rules, s3);
  if (request.body.empty())
    throw RequestError(400, "the body is empty: it is an image, or {\"bucket\", \"file_name\"}");
  if (request.body.size() > rules.most)
    throw RequestError(413,
                       fmt::format("the body has {} bytes, at most {} are taken", request.body.size(), rules.most));
  const std::string_view type = request.header("content-type");
  return {request.body, std::string(type.empty() ? "application/json" : type), false};
}

}  // namespace plume::lambda
