// Objects: put, get, head, copy, delete, and what all requests have in common.
#include "cloud/s3/client.hpp"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cloud/s3/chunked_body.hpp"
#include "cloud/s3/text_sink.hpp"
#include "cloud/s3/xml.hpp"
#include "cloud/signing/percent.hpp"
#include "kernels/base/base64.hpp"

namespace plume::cloud {
namespace {

constexpr std::size_t buffer_size = 64UL * 1024;

const Shape object_shape{.members = {{"Key", &string_shape}}};
const Shape objects_shape{.type = Type::list, .members = {{"", &object_shape}}};
const Shape delete_shape{
    .members = {{"Quiet", &boolean_shape}, {.name = "Object", .shape = &objects_shape, .flattened = true}},
    .xml_namespace = {s3_namespace}};

ObjectInfo info_of(const HttpResponse& response) {
  ObjectInfo info;
  const std::string_view length = response.header("content-length");
  std::from_chars(length.data(), length.data() + length.size(), info.size);
  info.etag = response.header("etag");
  info.content_type = response.header("content-type");
  info.version_id = response.header("x-amz-version-id");
  info.last_modified = parse_time(response.header("last-modified"));
  info.checksum = expected_checksum(response);
  constexpr std::string_view prefix = "x-amz-meta-";
  for (const Header& header : response.headers)
    if (const std::string name = lower_case(header.name); name.starts_with(prefix))
      info.metadata[name.substr(prefix.size())] = header.value;
  return info;
}

}  // namespace

ObjectName parse_object_name(std::string_view text) {
  constexpr std::string_view scheme = "s3://";
  const std::size_t slash = text.find('/', scheme.size());
  if (!text.starts_with(scheme) || slash == scheme.size() || text.size() == scheme.size())
    throw cloud_error(Failure::usage, "{}: an object's name is s3://BUCKET/KEY", text);
  ObjectName name;
  name.bucket = text.substr(scheme.size(), slash == std::string_view::npos ? slash : slash - scheme.size());
  if (slash != std::string_view::npos) name.key = text.substr(slash + 1);
  return name;
}

S3::S3(Transport& transport, CredentialSource* credentials, Clock clock, S3Settings settings,
       ClientSettings client_settings)
    : settings_(std::move(settings)), client_(transport, credentials, std::move(clock), std::move(client_settings)) {}

Endpoint S3::endpoint(const std::string& bucket, const std::string& region) {
  S3Choice choice = settings_.choice;
  choice.bucket = bucket;
  const std::lock_guard lock(mutex_);
  if (!region.empty()) regions_[bucket] = region;
  if (const auto found = regions_.find(bucket); found != regions_.end()) choice.region = found->second;
  return s3_endpoint(choice);
}

ServiceRequest S3::request(const std::string& operation, const std::string& method, const ObjectName& name) {
  ServiceRequest request;
  request.what = fmt::format("{} {}", operation, name.bucket.empty() ? "s3://" : name.text());
  request.endpoint = endpoint(name.bucket);
  request.method = method;
  if (!name.key.empty()) request.path = '/' + percent_encode(name.key, Slashes::kept);
  if (request.endpoint.authentication == Authentication::express && client_.credentials() != nullptr)
    request.session = session(name.bucket);
  request.elsewhere = [this, bucket = name.bucket](const std::string& region) { return endpoint(bucket, region); };
  return request;
}

ServiceRequest S3::object_request(const std::string& operation, const std::string& method, const ObjectName& name) {
  // Without a key the request would be about the bucket: DELETE would remove it.
  if (name.key.empty())
    throw cloud_error(Failure::usage, "{} {}: an object's name is s3://BUCKET/KEY", operation, name.text());
  return request(operation, method, name);
}

bool S3::signs_bodies(const ServiceRequest& request) const {
  const bool https = request.endpoint.url.scheme == "https";
  return settings_.payload_signing == PayloadSigning::always ||
         (settings_.payload_signing == PayloadSigning::automatic && !https);
}

std::unique_ptr<Body> S3::set_object(ServiceRequest& request, Body& body) const {
  const bool is_signed = signs_bodies(request) && client_.credentials() != nullptr;
  const ChecksumKind trailer = settings_.checksum_when_supported ? settings_.checksum : ChecksumKind::none;
  const bool worth_it = body.size() > 0 && (is_signed || trailer != ChecksumKind::none);
  if (!settings_.chunked || !worth_it) {
    set_body(request, body);
    return nullptr;
  }
  auto chunks = std::make_unique<ChunkedBody>(body, is_signed, trailer);
  request.body = chunks.get();
  request.payload_hash = chunks->payload();
  request.headers.push_back({"Content-Encoding", "aws-chunked"});
  request.headers.push_back({"x-amz-decoded-content-length", std::to_string(body.size())});
  if (trailer != ChecksumKind::none) {
    request.headers.push_back({"x-amz-sdk-checksum-algorithm", std::string(name_of(trailer))});
    request.headers.push_back({"x-amz-trailer", header_of(trailer)});
  }
  // Without keys nobody adds it.
  if (client_.credentials() == nullptr) request.headers.push_back({"x-amz-content-sha256", request.payload_hash});
  request.on_signed = [body = chunks.get()](const SigningKey& key, Time time, const std::string& signature) {
    body->begin(key, time, signature);
  };
  return chunks;
}

void S3::set_body(ServiceRequest& request, Body& body, bool insists_on_checksum) const {
  const bool hashed = signs_bodies(request);
  const bool summed =
      settings_.checksum != ChecksumKind::none && (settings_.checksum_when_supported || insists_on_checksum);
  Sha256 hash;
  Checksum sum(settings_.checksum);
  if (hashed || summed) {
    body.rewind();
    std::vector<std::byte> buffer(std::min<std::uint64_t>(buffer_size, std::max<std::uint64_t>(body.size(), 1)));
    while (const std::size_t size = body.read(buffer)) {
      const auto bytes = std::span<const std::byte>(buffer).first(size);
      if (hashed) hash.add(bytes);
      if (summed) sum.add(bytes);
    }
  }
  request.body = &body;
  request.payload_hash = hashed ? hex(hash.finish()) : std::string(unsigned_payload);
  if (!summed) return;
  request.headers.push_back({"x-amz-sdk-checksum-algorithm", std::string(name_of(settings_.checksum))});
  request.headers.push_back({header_of(settings_.checksum), sum.finish()});
}

void S3::add_options(ServiceRequest& request, const PutOptions& options) {
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) request.headers.push_back({name, value});
  };
  add("Content-Type", options.content_type);
  add("x-amz-storage-class", options.storage_class);
  add("x-amz-server-side-encryption", options.encryption);
  add("x-amz-server-side-encryption-aws-kms-key-id", options.kms_key_id);
  std::string tags;
  for (const auto& [name, value] : options.tags) {
    if (!tags.empty()) tags += '&';
    tags += percent_encode(name) + '=' + percent_encode(value);
  }
  add("x-amz-tagging", tags);
  for (const auto& [name, value] : options.metadata) add("x-amz-meta-" + name, value);
}

ObjectInfo S3::head(const ObjectName& name) {
  ServiceRequest head = object_request("HeadObject", "HEAD", name);
  if (settings_.validate_when_supported) head.headers.push_back({"x-amz-checksum-mode", "ENABLED"});
  return info_of(call(head));
}

std::optional<ObjectInfo> S3::find(const ObjectName& name) {
  try {
    return head(name);
  } catch (const Error& error) {
    if (error.failure() != Failure::not_found) throw;
    return std::nullopt;
  }
}

std::string S3::put(const ObjectName& name, Body& body, const PutOptions& options) {
  ServiceRequest put = object_request("PutObject", "PUT", name);
  add_options(put, options);
  if (options.only_if_absent) put.headers.push_back({"If-None-Match", "*"});
  const auto sent = set_object(put, body);
  try {
    return std::string(call(put).header("etag"));
  } catch (const Error& error) {
    // An earlier attempt may have stored it, and the reply was lost on its way.
    const bool may_be_ours = options.only_if_absent && error.failure() == Failure::conflict && error.attempt() > 1;
    if (!may_be_ours || !holds(name, body)) throw;
    return head(name).etag;
  }
}

// By its checksum, else by an ETag that is its MD5.
bool S3::holds(const ObjectName& name, Body& body) {
  const auto there = find(name);
  if (!there || there->size != body.size()) return false;
  Checksum sum(there->checksum ? there->checksum->kind : ChecksumKind::none);
  Md5 md5;
  body.rewind();
  std::vector<std::byte> buffer(buffer_size);
  while (const std::size_t size = body.read(buffer)) {
    const auto bytes = std::span<const std::byte>(buffer).first(size);
    sum.add(bytes);
    md5.add(bytes);
  }
  if (there->checksum) return sum.finish() == there->checksum->value;
  return there->etag == '"' + hex(md5.finish()) + '"';
}

std::string S3::put(const ObjectName& name, const std::string& text, const PutOptions& options) {
  TextBody body(text);
  return put(name, body, options);
}

HttpResponse S3::get(const ObjectName& name, BodySink& sink, const std::optional<Range>& range,
                     const std::string& if_match) {
  ServiceRequest get = object_request("GetObject", "GET", name);
  if (range) get.headers.push_back({"Range", fmt::format("bytes={}-{}", range->first, range->last)});
  if (!if_match.empty()) get.headers.push_back({"If-Match", if_match});
  if (settings_.validate_when_supported) get.headers.push_back({"x-amz-checksum-mode", "ENABLED"});
  get.sink = &sink;
  return call(get);
}

std::string S3::get_text(const ObjectName& name) {
  TextSink sink;
  static_cast<void>(get(name, sink));
  return sink.take();
}

void S3::copy(const ObjectName& from, const ObjectName& to) {
  ServiceRequest copy = object_request("CopyObject", "PUT", to);
  copy.headers.push_back(
      {"x-amz-copy-source", percent_encode(from.bucket) + '/' + percent_encode(from.key, Slashes::kept)});
  copy.ok_may_hold_error = true;
  static_cast<void>(parse_xml(copy.what, call(copy).body, "CopyObjectResult"));
}

void S3::remove(const ObjectName& name) {
  static_cast<void>(call(object_request("DeleteObject", "DELETE", name)));
}

std::vector<std::pair<std::string, std::string>> S3::remove_all(const std::string& bucket,
                                                                const std::vector<std::string>& keys) {
  nlohmann::json deleted{{"Quiet", true}, {"Object", nlohmann::json::array()}};
  for (const std::string& key : keys) deleted["Object"].push_back({{"Key", key}});
  const std::string text = to_xml(deleted, delete_shape, "Delete");
  ServiceRequest remove = request("DeleteObjects", "POST", {bucket, {}});
  remove.query = "delete=";
  remove.headers.push_back({"Content-Type", "application/xml"});
  Md5 md5;  // older servers insist on it, newer ones on either
  md5.add(as_bytes(text));
  remove.headers.push_back({"Content-MD5", base64(md5.finish())});
  TextBody body(text);
  set_body(remove, body, true);
  remove.ok_may_hold_error = true;
  const pugi::xml_document document = parse_xml(remove.what, call(remove).body, "DeleteResult");
  std::vector<std::pair<std::string, std::string>> failed;
  for (const pugi::xml_node error : document.document_element().children("Error"))
    failed.emplace_back(error.child_value("Key"), error.child_value("Code"));
  return failed;
}

std::string S3::presign_get(const ObjectName& name, std::chrono::seconds expires) {
  return client_.presign(object_request("GetObject", "GET", name), expires);
}

std::string S3::presign_put(const ObjectName& name, std::chrono::seconds expires) {
  return client_.presign(object_request("PutObject", "PUT", name), expires);
}

S3::PostForm S3::presign_post(PostPolicy policy) {
  const Endpoint place = endpoint(policy.bucket);
  if (client_.credentials() == nullptr)
    throw cloud_error(Failure::credentials, "PostObject s3://{}: a form needs credentials", policy.bucket);
  const Credentials keys = client_.credentials()->get();
  const Time time = client_.now();
  return {place.url.text(),
          sign_post(policy, keys, client_.signing_key(keys, time, place.signing_region, place.signing_name), time)};
}

}  // namespace plume::cloud
