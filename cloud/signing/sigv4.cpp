// Four HMACs make the key, two hashes and one HMAC a signature.
#include "cloud/signing/sigv4.hpp"

#include "cloud/signing/percent.hpp"

namespace plume::cloud {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

std::string scope_of(Time time, std::string_view region, std::string_view service) {
  std::string scope = amz_date(time);
  for (const std::string_view part : {region, service, std::string_view("aws4_request")}) {
    scope += '/';
    scope += part;
  }
  return scope;
}

std::string string_to_sign_at(const SigningKey& key, std::string_view time, std::string_view text) {
  std::string result;
  result.reserve(192);
  result += algorithm;
  result += '\n';
  result += time;
  result += '\n';
  result += key.scope();
  result += '\n';
  append_hex(result, sha256(text));
  return result;
}

Signature sign(const RequestView& request, const SigningKey& key, std::string_view time, PathRules rules,
               std::string_view payload_hash) {
  Signature result;
  result.canonical = canonical_request(request, rules, payload_hash);
  result.string_to_sign = string_to_sign_at(key, time, result.canonical.text);
  result.signature = key.sign(result.string_to_sign);
  return result;
}

void append_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query += name;
  query += '=';
  query += percent_encode(value);
}

}  // namespace

SigningKey::SigningKey(const Credentials& credentials, Time time, std::string_view region, std::string_view service)
    : access_key_id_(credentials.access_key_id), scope_(scope_of(time, region, service)) {
  std::string start = "AWS4";
  start += credentials.secret_access_key.reveal();
  key_ = hmac_sha256(start, amz_date(time));
  wipe(start);
  key_ = hmac_sha256(key_, region);
  key_ = hmac_sha256(key_, service);
  key_ = hmac_sha256(key_, "aws4_request");
}

bool SigningKey::serves(const Credentials& credentials, Time time, std::string_view region,
                        std::string_view service) const {
  return access_key_id_ == credentials.access_key_id && scope_ == scope_of(time, region, service);
}

std::string string_to_sign(const SigningKey& key, Time time, std::string_view text) {
  return string_to_sign_at(key, amz_time(time), text);
}

Signature sign_headers(std::string_view method, std::string_view path, std::string_view query, Headers& headers,
                       const Credentials& credentials, const SigningKey& key, Time time, PathRules rules,
                       std::string_view payload_hash, TokenIs token) {
  const std::string moment = amz_time(time);
  headers.reserve(headers.size() + 3);
  set_header(headers, "X-Amz-Date", moment);
  const bool has_token = !credentials.session_token.empty();
  const auto add_token = [&] {
    set_header(headers, "X-Amz-Security-Token", std::string(credentials.session_token.reveal()));
  };
  if (has_token && token == TokenIs::signed_too) add_token();
  Signature result = sign({method, path, query, headers}, key, moment, rules, payload_hash);
  if (has_token && token == TokenIs::appended) add_token();
  std::string authorization;
  authorization.reserve(320);
  authorization += algorithm;
  authorization += " Credential=";
  authorization += key.access_key_id();
  authorization += '/';
  authorization += key.scope();
  authorization += ", SignedHeaders=";
  authorization += result.canonical.signed_headers;
  authorization += ", Signature=";
  authorization += result.signature;
  set_header(headers, "Authorization", std::move(authorization));
  return result;
}

Signature sign_query(std::string_view method, std::string_view path, std::string& query, const Headers& headers,
                     const Credentials& credentials, const SigningKey& key, Time time, std::chrono::seconds expires,
                     PathRules rules, std::string_view payload_hash, TokenIs token) {
  const std::string signed_headers = canonical_request({method, path, query, headers}, rules, {}).signed_headers;
  append_parameter(query, "X-Amz-Algorithm", algorithm);
  append_parameter(query, "X-Amz-Credential", key.credential());
  const std::string moment = amz_time(time);
  append_parameter(query, "X-Amz-Date", moment);
  append_parameter(query, "X-Amz-SignedHeaders", signed_headers);
  append_parameter(query, "X-Amz-Expires", std::to_string(expires.count()));
  const bool has_token = !credentials.session_token.empty();
  const auto add_token = [&] { append_parameter(query, "X-Amz-Security-Token", credentials.session_token.reveal()); };
  if (has_token && token == TokenIs::signed_too) add_token();
  Signature result = sign({method, path, query, headers}, key, moment, rules, payload_hash);
  if (has_token && token == TokenIs::appended) add_token();
  append_parameter(query, "X-Amz-Signature", result.signature);
  return result;
}

}  // namespace plume::cloud
