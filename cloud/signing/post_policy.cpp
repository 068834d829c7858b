// Every field of the form must be named by a condition, or S3 refuses it.
#include "cloud/signing/post_policy.hpp"

#include <nlohmann/json.hpp>

#include "kernels/base/base64.hpp"

namespace plume::cloud {

Headers sign_post(const PostPolicy& policy, const Credentials& credentials, const SigningKey& key, Time time) {
  Headers fields{
      {"x-amz-algorithm", "AWS4-HMAC-SHA256"}, {"x-amz-credential", key.credential()}, {"x-amz-date", amz_time(time)}};
  if (!credentials.session_token.empty())
    fields.push_back({"x-amz-security-token", std::string(credentials.session_token.reveal())});
  for (const Header& field : policy.fields) fields.push_back(field);

  using Json = nlohmann::ordered_json;
  Json conditions = Json::array();
  conditions.push_back({{"bucket", policy.bucket}});
  if (policy.key_is_prefix) {
    conditions.push_back(Json::array({"starts-with", "$key", policy.key}));
  } else {
    conditions.push_back({{"key", policy.key}});
  }
  conditions.push_back(Json::array({"content-length-range", policy.least_size, policy.most_size}));
  for (const Header& field : fields) conditions.push_back({{field.name, field.value}});
  const Json document{{"expiration", iso_time(policy.expires)}, {"conditions", std::move(conditions)}};

  const std::string encoded = base64(document.dump());
  fields.insert(fields.begin(), {"key", policy.key_is_prefix ? policy.key + "${filename}" : policy.key});
  fields.push_back({"policy", encoded});
  fields.push_back({"x-amz-signature", post_signature(key, encoded)});
  return fields;
}

std::string post_signature(const SigningKey& key, std::string_view encoded_policy) {
  return key.sign(encoded_policy);
}

}  // namespace plume::cloud
