// Directory buckets of S3 Express, whose requests are signed with keys of a session.
#include "cloud/s3/client.hpp"
#include "cloud/s3/xml.hpp"

namespace plume::cloud {

Credentials S3::create_session(const std::string& bucket, const std::string& encryption) {
  ServiceRequest create;
  create.what = "CreateSession s3://" + bucket;
  create.endpoint = endpoint(bucket);
  create.endpoint.authentication = Authentication::sigv4;
  create.query = "session=";
  if (!encryption.empty()) create.headers.push_back({"x-amz-server-side-encryption", encryption});
  HttpResponse response = call(create);
  const pugi::xml_document document = parse_xml(create.what, response.body, "CreateSessionResult");
  wipe(response.body);
  const pugi::xml_node node = document.document_element().child("Credentials");
  Credentials keys;
  keys.access_key_id = node.child_value("AccessKeyId");
  keys.secret_access_key = Secret(node.child_value("SecretAccessKey"));
  keys.session_token = Secret(node.child_value("SessionToken"));
  keys.expires = parse_time(node.child_value("Expiration"));
  keys.source = create.what;
  if (keys.access_key_id.empty() || !keys.expires)
    throw cloud_error(Failure::credentials, "{}: the answer holds no keys", create.what);
  return keys;
}

Credentials S3::session(const std::string& bucket) {
  constexpr std::chrono::minutes early{1};
  {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(bucket);
    if (found != sessions_.end() && *found->second.expires - client_.now() > early) return found->second;
  }
  Credentials keys = create_session(bucket);
  const std::lock_guard lock(mutex_);
  return sessions_[bucket] = std::move(keys);
}

}  // namespace plume::cloud
