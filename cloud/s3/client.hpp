// Amazon S3, and servers that speak like it: what can be asked of buckets and objects, one request each.
// Source: Amazon S3 API Reference, 2006-03-01.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cloud/client/service_client.hpp"
#include "cloud/endpoints/s3_endpoint.hpp"
#include "cloud/s3/checksum.hpp"
#include "cloud/signing/post_policy.hpp"

namespace plume::cloud {

struct ObjectName {
  std::string bucket;
  std::string key;  // any characters
  [[nodiscard]] std::string text() const { return "s3://" + bucket + '/' + key; }
};
// Throws cloud::Error (usage) where the text is no s3://bucket/key.
[[nodiscard]] ObjectName parse_object_name(std::string_view text);

struct ObjectInfo {
  std::uint64_t size = 0;
  std::string etag;  // with its quotes
  std::string content_type;
  std::string version_id;
  std::optional<Time> last_modified;
  std::optional<ExpectedChecksum> checksum;
  std::map<std::string, std::string> metadata;  // of x-amz-meta-
};

// What an object is stored with.
struct PutOptions {
  std::string content_type = "application/octet-stream";
  std::string storage_class;                    // empty: the bucket's own
  std::string encryption;                       // AES256 or aws:kms; empty: the bucket's own
  std::string kms_key_id;                       // of aws:kms; empty: the account's
  std::map<std::string, std::string> tags;      // at most 10
  std::map<std::string, std::string> metadata;  // names without x-amz-meta-
  bool only_if_absent = false;                  // else it is replaced; an error of kind conflict where it is there
};

struct ListedObject {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;
  std::optional<Time> last_modified;
};
struct Listing {
  std::vector<ListedObject> objects;
  std::vector<std::string> prefixes;  // with a delimiter: what lies behind the next one, once
  std::string next;                   // for the next page; empty: there is none
};

struct Part {
  int number = 0;  // from 1
  std::uint64_t size = 0;
  std::string etag;
  ChecksumKind checksum_kind = ChecksumKind::none;
  std::string checksum;  // base64; empty where the server keeps none
};
struct PendingUpload {
  std::string id;
  std::string key;
  std::optional<Time> started;
};

// How a body's bytes are signed for.
enum class PayloadSigning {
  automatic,  // by their hash, but over HTTPS, which protects them, not at all
  always,
  never,
};

struct S3Settings {
  S3Choice choice;  // bucket left empty
  ChecksumKind checksum = ChecksumKind::crc32c;
  bool checksum_when_supported = true;  // else only where S3 insists
  bool validate_when_supported = true;  // what comes
  PayloadSigning payload_signing = PayloadSigning::automatic;
  // Bodies go in chunks, each signed for where a body's hash would be, with the checksum behind them: so they are read
  // once, not twice. Not every server knows trailers: Ceph 16 and Swift do not.
  bool chunked = false;
};

class S3 {
 public:
  // As ServiceClient's.
  S3(Transport& transport, CredentialSource* credentials, Clock clock, S3Settings settings,
     ClientSettings client_settings = {});

  [[nodiscard]] const S3Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] ServiceClient& client() noexcept { return client_; }

  void create_bucket(const std::string& bucket);
  void delete_bucket(const std::string& bucket);

  [[nodiscard]] ObjectInfo head(const ObjectName& name);
  // nullopt where there is none.
  [[nodiscard]] std::optional<ObjectInfo> find(const ObjectName& name);

  // The ETag.
  std::string put(const ObjectName& name, Body& body, const PutOptions& options = {});
  std::string put(const ObjectName& name, const std::string& text, const PutOptions& options = {});

  // Bytes [first, last] into the sink, or the whole object where there is no range; the reply's headers.
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  // counted in
  };
  HttpResponse get(const ObjectName& name, BodySink& sink, const std::optional<Range>& range = std::nullopt,
                   const std::string& if_match = {});
  // A small object; its checksum is verified.
  [[nodiscard]] std::string get_text(const ObjectName& name);

  // Up to 1,000 at once.
  [[nodiscard]] Listing list(const std::string& bucket, const std::string& prefix, const std::string& delimiter = {},
                             const std::string& next = {}, int most = 1000);

  // Within S3; up to 5 GiB.
  void copy(const ObjectName& from, const ObjectName& to);

  void remove(const ObjectName& name);
  // Up to 1,000 at once. What could not be deleted: key and why.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> remove_all(const std::string& bucket,
                                                                            const std::vector<std::string>& keys);

  // Uploads in parts; the kind of checksum is the settings'.
  [[nodiscard]] std::string create_upload(const ObjectName& name, const PutOptions& options);
  [[nodiscard]] Part upload_part(const ObjectName& name, const std::string& upload_id, int number, Body& body);
  [[nodiscard]] std::vector<Part> list_parts(const ObjectName& name, const std::string& upload_id);
  // `checksum`: the whole object's, where the parts have theirs; empty: none. The ETag.
  std::string complete_upload(const ObjectName& name, const std::string& upload_id, const std::vector<Part>& parts,
                              const std::string& checksum, bool only_if_absent);
  // Also when a user has cancelled. An upload that is not there is fine.
  void abort_upload(const ObjectName& name, const std::string& upload_id);
  [[nodiscard]] std::vector<PendingUpload> list_uploads(const std::string& bucket, const std::string& prefix);

  // Keys for a directory bucket, good for five minutes; requests to it make and renew theirs by themselves.
  // `encryption` as in PutOptions.
  [[nodiscard]] Credentials create_session(const std::string& bucket, const std::string& encryption = {});

  // Addresses by which anybody may get or put the object until they expire; form fields by which a browser may.
  [[nodiscard]] std::string presign_get(const ObjectName& name, std::chrono::seconds expires);
  [[nodiscard]] std::string presign_put(const ObjectName& name, std::chrono::seconds expires);
  struct PostForm {
    std::string url;
    Headers fields;
  };
  [[nodiscard]] PostForm presign_post(PostPolicy policy);

 private:
  [[nodiscard]] ServiceRequest request(const std::string& operation, const std::string& method, const ObjectName& name);
  // Throws cloud::Error (usage) where the name has no key.
  [[nodiscard]] ServiceRequest object_request(const std::string& operation, const std::string& method,
                                              const ObjectName& name);
  [[nodiscard]] Endpoint endpoint(const std::string& bucket, const std::string& region = {});
  [[nodiscard]] Credentials session(const std::string& bucket);
  // Hash and checksum of the body, by one pass over it.
  void set_body(ServiceRequest& request, Body& body, bool insists_on_checksum = false) const;
  // The same, but for a body that may go in chunks: what is sent, to be kept until it was.
  [[nodiscard]] std::unique_ptr<Body> set_object(ServiceRequest& request, Body& body) const;
  [[nodiscard]] bool signs_bodies(const ServiceRequest& request) const;
  [[nodiscard]] bool holds(const ObjectName& name, Body& body);
  [[nodiscard]] HttpResponse call(const ServiceRequest& request) { return client_.call(request); }
  static void add_options(ServiceRequest& request, const PutOptions& options);

  S3Settings settings_;
  ServiceClient client_;
  std::mutex mutex_;
  std::map<std::string, std::string> regions_;   // where buckets were found to be
  std::map<std::string, Credentials> sessions_;  // of directory buckets
};

}  // namespace plume::cloud
