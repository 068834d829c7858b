// From variables alone.
#include "cloud/credentials/sources.hpp"

namespace plume::cloud {

std::optional<Credentials> environment_credentials(const Surroundings& surroundings) {
  auto id = surroundings.word("AWS_ACCESS_KEY_ID");
  auto secret = surroundings.word("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  if (!id || !secret)
    throw cloud_error(Failure::credentials, "{} is set, but {} is not",
                      id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                      id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
  Credentials credentials;
  credentials.access_key_id = *std::move(id);
  credentials.secret_access_key = Secret::take(*std::move(secret));
  if (auto token = surroundings.word("AWS_SESSION_TOKEN")) credentials.session_token = Secret::take(*std::move(token));
  credentials.account_id = surroundings.word("AWS_ACCOUNT_ID").value_or("");
  credentials.source = "environment";
  return credentials;
}

}  // namespace plume::cloud
