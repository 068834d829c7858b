// The body is changed first, for its hashes are of what is sent.
#include "cloud/protocols/outgoing.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "cloud/error.hpp"
#include "cloud/protocols/fill_in.hpp"
#include "kernels/base/base64.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

bool is_host_label(std::string_view text) {
  const auto fits = [](char c) {
    const char lower = lower_case(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), fits);
}

std::string host_prefix_of(std::string_view prefix, const std::string& what, const Json& input) {
  return fill_in(prefix, [&](std::string_view name) {
    const auto value = input.find(name);
    auto text = value != input.end() && value->is_string() ? value->get<std::string>() : std::string();
    if (!is_host_label(text))
      throw cloud_error(Failure::usage, "{}: {} \"{}\" cannot be in a host's name", what, name, text);
    return text;
  });
}

std::string gzip(std::string_view text) {
  constexpr int level = 6;  // gzip's own
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  std::string compressed(libdeflate_gzip_compress_bound(compressor.get(), text.size()), '\0');
  compressed.resize(
      libdeflate_gzip_compress(compressor.get(), text.data(), text.size(), compressed.data(), compressed.size()));
  return compressed;
}

// Behind encodings that the body has already.
void add_encoding(Headers& headers, const std::string& encoding) {
  const std::string* const before = find_header(headers, "Content-Encoding");
  set_header(headers, "Content-Encoding", before == nullptr ? encoding : *before + ", " + encoding);
}

std::string md5_text(std::string_view text) {
  Md5 md5;
  md5.add(as_bytes(text));
  return base64(md5.finish());
}

std::string uuid(const Clock& clock) {
  std::string text;
  for (int group = 0; group < 8; ++group) {
    auto bits = static_cast<unsigned>(clock.random() * 0x1p16);
    if (group == 3) bits = (bits & 0x0FFFU) | 0x4000U;  // the version
    if (group == 4) bits = (bits & 0x3FFFU) | 0x8000U;  // the variant of RFC 9562
    text += fmt::format("{}{:04x}", group >= 2 && group <= 5 ? "-" : "", bits);
  }
  return text;
}

}  // namespace

OutgoingRequest::OutgoingRequest(ServiceRequest request, std::optional<std::string> body, const OperationTraits& traits,
                                 const Json& input)
    : request_(std::move(request)) {
  std::string& host = request_.endpoint.url.host;
  host = host_prefix_of(traits.host_prefix, request_.what, input) + host;
  if (!body) return;
  if (traits.compressed && body->size() >= compressed_from) {
    body = gzip(*body);
    add_encoding(request_.headers, "gzip");
  }
  if (traits.needs_md5) request_.headers.push_back({"Content-MD5", md5_text(*body)});
  request_.payload_hash = hex(sha256(*body));
  request_.body = &body_.emplace(*std::move(body));
}

Json with_tokens(Json input, const Shape& shape, const Clock& clock) {
  for (const Member& member : shape.members) {
    if (!member.idempotency_token) continue;
    const auto found = input.find(member.name);
    if (found == input.end() || found->is_null()) input[member.name] = uuid(clock);
  }
  return input;
}

}  // namespace plume::cloud
