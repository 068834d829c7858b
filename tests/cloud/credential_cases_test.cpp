// The cases on the credential chain that AWS's clients share: environment, files and HTTP traffic of each, and the
// keys or the error that come of it.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "aws_data.hpp"
#include "cloud/credentials/chain.hpp"
#include "cloud/credentials/sources.hpp"
#include "cloud/signing/percent.hpp"
#include "kernels/base/base64.hpp"
#include "test_surroundings.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

struct Exchange {
  Json request;
  std::string request_body;
  HttpResponse response;
};

std::string text_of(const Json& data) {
  return data.contains("Utf8") ? data["Utf8"].get<std::string>()
                               : from_base64(data["Base64"].get<std::string>()).value();
}

// By connection, as they were recorded.
std::vector<Exchange> read_traffic(const std::filesystem::path& file) {
  std::vector<Exchange> exchanges;
  if (!std::filesystem::exists(file)) return exchanges;
  const Json document = read_json(file);
  for (const Json& event : document["events"]) {
    const Json& action = event["action"];
    if (action.contains("Request")) {
      exchanges.push_back({action["Request"]["request"], {}, {}});
    } else if (action.contains("Response")) {
      const Json& response = action["Response"]["response"]["Ok"];
      exchanges.back().response.status = response["status"];
      for (const auto& [name, values] : response["headers"].items())
        exchanges.back().response.headers.push_back({name, values[0].get<std::string>()});
    } else if (action.contains("Data")) {
      const bool sent = action["Data"]["direction"] == "Request";
      (sent ? exchanges.back().request_body : exchanges.back().response.body) += text_of(action["Data"]["data"]);
    }
  }
  return exchanges;
}

std::multiset<std::string> parameters(const std::string& form) {
  std::multiset<std::string> sorted;
  std::istringstream stream(form);
  for (std::string parameter; std::getline(stream, parameter, '&');) sorted.insert(parameter);
  return sorted;
}

std::set<std::string> parameter_names(const std::string& form) {
  std::set<std::string> names;
  for (const std::string& parameter : parameters(form)) names.insert(parameter.substr(0, parameter.find('=')));
  return names;
}

// The recorded roles, sessions, times and temporary keys are not those of the files and replies; the rest is compared.
void expect_same(const Sent& sent, const Exchange& expected) {
  EXPECT_EQ(sent.method, expected.request["method"]);
  const auto url = parse_url(expected.request["uri"].get<std::string>());
  ASSERT_TRUE(url);
  EXPECT_EQ(sent.url.scheme + sent.url.authority(), url->scheme + url->authority());
  EXPECT_EQ(sent.url.path, url->path.empty() ? "/" : url->path);
  EXPECT_EQ(parameters(sent.url.query), parameters(url->query));
  for (const auto& [name, values] : expected.request["headers"].items()) {
    const std::string value = values[0];
    const std::string lower = lower_case(name);
    if (lower == "authorization" && value.starts_with("AWS4")) {
      const std::string key_id = value.substr(0, value.find('/'));
      const bool from_file = key_id.find("=AKIA") != std::string::npos;
      EXPECT_TRUE(!from_file || sent.header(name).starts_with(key_id)) << sent.header(name);
      EXPECT_NE(sent.header(name).find("/sts/aws4_request"), std::string::npos);
    } else if (lower == "x-amz-security-token") {
      EXPECT_NE(sent.header(name), "");
    } else if (lower.find("agent") == std::string::npos && lower != "x-amz-date" && lower != "content-length" &&
               lower != "host") {
      EXPECT_EQ(sent.header(name), value) << name;
    }
  }
  if (expected.request_body.empty()) return;
  EXPECT_EQ(parameter_names(sent.body), parameter_names(expected.request_body));
  for (const std::string& parameter : parameters(expected.request_body)) {
    if (!parameter.starts_with("Action=") && !parameter.starts_with("Version=")) continue;
    EXPECT_EQ(parameters(sent.body).count(parameter), 1U) << parameter;
  }
}

// The cases quote one client's messages; what stands behind each is said in words of our own.
std::string in_our_words(const std::string& message) {
  static const std::map<std::string, std::string> words{
      {"the credential provider was not enabled", "no credentials"},
      {"provider was not enabled", "its base gives no keys"},
      {"request forbidden: IMDS is disabled", "request forbidden: IMDS is disabled"},
      {"failed to read `/home/.aws/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json`: No such file or directory "
       "(os error 2)",
       "cannot read /home/.aws/sso/cache/dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json"},
      {"`web_identity_token_file` was specified but `role_arn` was missing",
       "`web_identity_token_file` was specified but `role_arn` was missing"},
      {"Error retrieving credentials from external process, could not parse response: invalid JSON in response",
       "credential_process: invalid JSON in response"},
      {"could not parse profile file", "line 2 of the config file: Property did not have a name"},
      {"selected profile will resolve an access token instead of credentials", "it gives a token, and no keys"}};
  return words.at(message);
}

class CredentialCase {
 public:
  explicit CredentialCase(std::filesystem::path folder)
      : folder_(std::move(folder)), exchanges_(read_traffic(folder_ / "http-traffic.json")) {
    made_up_.variables = read_json(folder_ / "env.json").get<std::map<std::string, std::string>>();
    for (const Exchange& exchange : exchanges_) made_up_.transport.answer(exchange.response);
  }

  // With the files below fs/, and real processes.
  [[nodiscard]] Config config() {
    Surroundings surroundings = made_up_.surroundings();
    const auto root = folder_ / "fs";
    surroundings.file = [root](const std::filesystem::path& path) -> std::optional<std::string> {
      const auto real = root / path.relative_path();
      return std::filesystem::is_regular_file(real) ? std::optional<std::string>(read_file(real)) : std::nullopt;
    };
    surroundings.run = system_surroundings().run;
    return {{}, surroundings};
  }

  [[nodiscard]] Json expected() const { return read_json(folder_ / "test-case.json")["result"]; }

  void expect_keys(const Credentials& found) const {
    const Json result = expected();
    ASSERT_TRUE(result.contains("Ok")) << "keys instead of " << result;
    const Json& keys = result["Ok"];
    EXPECT_EQ(found.access_key_id, keys["access_key_id"]);
    EXPECT_TRUE(found.secret_access_key.reveal() == keys["secret_access_key"].get<std::string>());
    EXPECT_TRUE(found.session_token.reveal() == keys.value("session_token", ""));
    EXPECT_EQ(found.account_id, keys.value("account_id", found.account_id));
    if (keys.contains("expiry")) {
      ASSERT_TRUE(found.expires);
      EXPECT_EQ(found.expires->time_since_epoch().count(), keys["expiry"].get<long>());
    } else {
      EXPECT_EQ(found.expires, std::nullopt);
    }
  }

  void expect_failure(const std::string& message) const {
    const Json result = expected();
    ASSERT_TRUE(result.contains("ErrorContains")) << message;
    EXPECT_NE(message.find(in_our_words(result["ErrorContains"])), std::string::npos) << message << '\n' << result;
  }

  void expect_traffic() const {
    ASSERT_EQ(made_up_.transport.sent().size(), exchanges_.size());
    for (std::size_t i = 0; i < exchanges_.size(); ++i) expect_same(made_up_.transport.sent()[i], exchanges_[i]);
  }

 private:
  std::filesystem::path folder_;
  std::vector<Exchange> exchanges_;
  TestSurroundings made_up_;
};

// `find` gives the keys of a configuration.
template <class Find>
int replay(const char* folder, const Find& find) {
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(aws_data() / "credentials" / folder)) {
    SCOPED_TRACE(entry.path().filename().string());
    ++replayed;
    CredentialCase one(entry.path());
    try {
      const Config config = one.config();
      one.expect_keys(find(config));
    } catch (const cloud::Error& error) {
      one.expect_failure(error.what());
    }
    one.expect_traffic();
  }
  return replayed;
}

TEST(CredentialCases, EveryOneOfTheChain) {
  PLUME_NEEDS_AWS_DATA();
  EXPECT_EQ(replay("default-credential-provider-chain", find_credentials), 20);
}

TEST(CredentialCases, EveryOneOfProfiles) {
  PLUME_NEEDS_AWS_DATA();
  const auto find = [](const Config& config) {
    auto found = profile_credentials(config);
    if (!found) throw cloud_error(Failure::credentials, "no credentials");
    return *found;
  };
  EXPECT_EQ(replay("profile-provider", find), 12);
}

TEST(CredentialCases, EveryOneOfTokens) {
  PLUME_NEEDS_AWS_DATA();
  int replayed = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(aws_data() / "credentials/default-token-provider-chain")) {
    SCOPED_TRACE(entry.path().filename().string());
    ++replayed;
    CredentialCase one(entry.path());
    const auto token = sso_token(one.config());
    ASSERT_TRUE(token);
    EXPECT_TRUE(token->token.reveal() == one.expected()["Ok"]["token"].get<std::string>());
    EXPECT_EQ(iso_time(token->expires), one.expected()["Ok"]["expiration"]);
  }
  EXPECT_EQ(replayed, 2);
}

}  // namespace
}  // namespace plume::tests
