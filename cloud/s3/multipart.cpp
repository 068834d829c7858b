// Uploads in parts.
#include <nlohmann/json.hpp>

#include "cloud/protocols/form.hpp"
#include "cloud/s3/client.hpp"
#include "cloud/s3/xml.hpp"

namespace plume::cloud {
namespace {

std::string checksum_element(ChecksumKind kind) {
  return "Checksum" + std::string(name_of(kind));
}

// What a part of a list says of its bytes.
void read_checksum(const pugi::xml_node& node, Part& part) {
  for (const ChecksumKind kind :
       {ChecksumKind::crc64nvme, ChecksumKind::crc32c, ChecksumKind::crc32, ChecksumKind::sha256}) {
    const std::string value = node.child_value(checksum_element(kind).c_str());
    if (value.empty()) continue;
    part.checksum_kind = kind;
    part.checksum = value;
    return;
  }
}

const Shape part_shape{.members = {{"PartNumber", &integer_shape},
                                   {"ETag", &string_shape},
                                   {"ChecksumCRC32", &string_shape},
                                   {"ChecksumCRC32C", &string_shape},
                                   {"ChecksumCRC64NVME", &string_shape},
                                   {"ChecksumSHA256", &string_shape}}};
const Shape parts_shape{.type = Type::list, .members = {{"", &part_shape}}};
const Shape completed_shape{.members = {{.name = "Part", .shape = &parts_shape, .flattened = true}},
                            .xml_namespace = {s3_namespace}};

}  // namespace

std::string S3::create_upload(const ObjectName& name, const PutOptions& options) {
  ServiceRequest create = object_request("CreateMultipartUpload", "POST", name);
  create.query = "uploads=";
  add_options(create, options);
  if (settings_.checksum != ChecksumKind::none && settings_.checksum_when_supported) {
    create.headers.push_back({"x-amz-checksum-algorithm", std::string(name_of(settings_.checksum))});
    // A CRC of the whole can be checked by who gets it in other parts.
    if (can_combine(settings_.checksum)) create.headers.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  }
  const pugi::xml_document document = parse_xml(create.what, call(create).body, "InitiateMultipartUploadResult");
  std::string id = document.document_element().child_value("UploadId");
  if (id.empty()) throw cloud_error(Failure::unavailable, "{}: the answer holds no UploadId", create.what);
  return id;
}

Part S3::upload_part(const ObjectName& name, const std::string& upload_id, int number, Body& body) {
  ServiceRequest upload = object_request("UploadPart", "PUT", name);
  upload.what += fmt::format(" part {}", number);
  upload.query = Form().add("partNumber", std::to_string(number)).add("uploadId", upload_id).text();
  const auto sent = set_object(upload, body);
  const HttpResponse response = call(upload);
  Part part;
  part.number = number;
  part.size = body.size();
  part.etag = response.header("etag");
  if (part.etag.empty()) throw cloud_error(Failure::unavailable, "{}: the answer holds no ETag", upload.what);
  if (settings_.checksum != ChecksumKind::none) {
    part.checksum_kind = settings_.checksum;
    part.checksum = response.header(header_of(settings_.checksum));  // a server that keeps none does not say it again
  }
  return part;
}

std::vector<Part> S3::list_parts(const ObjectName& name, const std::string& upload_id) {
  std::vector<Part> parts;
  std::string marker;
  do {
    ServiceRequest list = object_request("ListParts", "GET", name);
    list.query = Form().add_if("part-number-marker", marker).add("uploadId", upload_id).text();
    const pugi::xml_document document = parse_xml(list.what, call(list).body, "ListPartsResult");
    const pugi::xml_node root = document.document_element();
    for (const pugi::xml_node node : root.children("Part")) {
      Part part;
      part.number = node.child("PartNumber").text().as_int();
      part.size = node.child("Size").text().as_ullong();
      part.etag = node.child_value("ETag");
      read_checksum(node, part);
      parts.push_back(std::move(part));
    }
    const std::string next = root.child_value("NextPartNumberMarker");
    const bool more = root.child("IsTruncated").text().as_bool() && !next.empty() && next != marker;
    marker = more ? next : std::string();
  } while (!marker.empty());
  return parts;
}

std::string S3::complete_upload(const ObjectName& name, const std::string& upload_id, const std::vector<Part>& parts,
                                const std::string& checksum, bool only_if_absent) {
  nlohmann::json completed{{"Part", nlohmann::json::array()}};
  for (const Part& part : parts) {
    nlohmann::json one{{"PartNumber", part.number}, {"ETag", part.etag}};
    if (!part.checksum.empty()) one[checksum_element(part.checksum_kind)] = part.checksum;
    completed["Part"].push_back(std::move(one));
  }
  const std::string text = to_xml(completed, completed_shape, "CompleteMultipartUpload");
  ServiceRequest complete = object_request("CompleteMultipartUpload", "POST", name);
  complete.query = Form().add("uploadId", upload_id).text();
  complete.headers.push_back({"Content-Type", "application/xml"});
  if (only_if_absent) complete.headers.push_back({"If-None-Match", "*"});
  if (!checksum.empty()) {
    complete.headers.push_back({header_of(settings_.checksum), checksum});
    complete.headers.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  }
  TextBody body(text);
  complete.body = &body;
  complete.payload_hash = hex(sha256(text));
  complete.ok_may_hold_error = true;
  complete.timeouts = client_.settings().timeouts;
  complete.timeouts->stall = std::chrono::minutes(10);  // S3 may take minutes to put a large object together
  const pugi::xml_document document = parse_xml(complete.what, call(complete).body, "CompleteMultipartUploadResult");
  return document.document_element().child_value("ETag");
}

void S3::abort_upload(const ObjectName& name, const std::string& upload_id) {
  ServiceRequest abort = object_request("AbortMultipartUpload", "DELETE", name);
  abort.query = Form().add("uploadId", upload_id).text();
  abort.even_when_cancelled = true;
  try {
    static_cast<void>(call(abort));
  } catch (const Error& error) {
    if (error.failure() != Failure::not_found) throw;
  }
}

std::vector<PendingUpload> S3::list_uploads(const std::string& bucket, const std::string& prefix) {
  std::vector<PendingUpload> uploads;
  std::string key_marker;
  std::string id_marker;
  bool more = true;
  while (more) {
    ServiceRequest list = request("ListMultipartUploads", "GET", {bucket, {}});
    list.query = Form()
                     .add_if("key-marker", key_marker)
                     .add_if("prefix", prefix)
                     .add_if("upload-id-marker", id_marker)
                     .add("uploads", "")
                     .text();
    const pugi::xml_document document = parse_xml(list.what, call(list).body, "ListMultipartUploadsResult");
    const pugi::xml_node root = document.document_element();
    for (const pugi::xml_node node : root.children("Upload"))
      uploads.push_back(
          {node.child_value("UploadId"), node.child_value("Key"), parse_time(node.child_value("Initiated"))});
    const std::string key = root.child_value("NextKeyMarker");
    const std::string id = root.child_value("NextUploadIdMarker");
    more = root.child("IsTruncated").text().as_bool() && (key != key_marker || id != id_marker) && !key.empty();
    key_marker = key;
    id_marker = id;
  }
  return uploads;
}

}  // namespace plume::cloud
