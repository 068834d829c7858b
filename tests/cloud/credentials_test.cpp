// What the shared cases leave open: order, expiry, and whom keys are asked of.
#include <gtest/gtest.h>

#include "cloud/credentials/chain.hpp"
#include "cloud/credentials/sources.hpp"
#include "test_surroundings.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using namespace std::chrono_literals;

template <class Action>
void expect_failure(Failure failure, const Action& action, const std::string& part) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const cloud::Error& error) {
    EXPECT_EQ(error.failure(), failure);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

HttpResponse keys_until(Time expires, const std::string& id) {
  return {200,
          {},
          R"({"AccessKeyId":")" + id + R"(","SecretAccessKey":"s","Token":"t","Expiration":")" + iso_time(expires) +
              R"("})"};
}

class CredentialChainTest : public testing::Test {
 protected:
  [[nodiscard]] Config config(Flags flags = {}) { return {std::move(flags), made_up_.surroundings()}; }

  TestSurroundings made_up_;
};

TEST_F(CredentialChainTest, AsksAnewFiveMinutesBeforeTheEnd) {
  made_up_.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/role";
  const Time start = made_up_.clock.time;
  made_up_.transport.answer(keys_until(start + 1h, "FIRST"));
  made_up_.transport.answer(keys_until(start + 2h, "SECOND"));
  const Config settings = config();
  CredentialChain chain(settings);
  EXPECT_EQ(chain.get().access_key_id, "FIRST");
  made_up_.clock.time = start + 55min;
  EXPECT_EQ(chain.get().access_key_id, "FIRST");
  made_up_.clock.time = start + 55min + 1s;
  EXPECT_EQ(chain.get().access_key_id, "SECOND");
  EXPECT_EQ(made_up_.transport.sent().size(), 2U);
}

TEST_F(CredentialChainTest, KeepsValidKeysWhereTheSourceFails) {
  made_up_.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/role";
  const Time start = made_up_.clock.time;
  made_up_.transport.answer(keys_until(start + 1h, "FIRST"));
  made_up_.transport.answer_all([](const Sent&) { return HttpResponse{500, {}, {}}; });
  const Config settings = config();
  CredentialChain chain(settings);
  EXPECT_EQ(chain.get().access_key_id, "FIRST");
  made_up_.clock.time = start + 58min;
  EXPECT_EQ(chain.get().access_key_id, "FIRST");
  made_up_.clock.time = start + 61min;
  EXPECT_THROW(static_cast<void>(chain.get()), cloud::Error);
}

TEST_F(CredentialChainTest, TakesAFlagsProfileBeforeTheEnvironment) {
  made_up_.variables["AWS_ACCESS_KEY_ID"] = "ENVIRONMENT";
  made_up_.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  made_up_.files["/home/.aws/credentials"] =
      "[default]\naws_access_key_id=D\naws_secret_access_key=s\n"
      "[other]\naws_access_key_id=OTHER\naws_secret_access_key=s\n[empty]\n";
  EXPECT_EQ(find_credentials(config()).access_key_id, "ENVIRONMENT");
  EXPECT_EQ(find_credentials(config({.profile = "other"})).access_key_id, "OTHER");
  expect_failure(
      Failure::credentials, [&] { return find_credentials(config({.profile = "none"})); }, "no profile none");
  expect_failure(
      Failure::credentials, [&] { return find_credentials(config({.profile = "empty"})); }, "profile empty");
}

TEST_F(CredentialChainTest, SaysWhatIsMissingOfAPair) {
  made_up_.variables["AWS_ACCESS_KEY_ID"] = "ID";
  expect_failure(
      Failure::credentials, [&] { return find_credentials(config()); }, "AWS_SECRET_ACCESS_KEY is not");
}

TEST_F(CredentialChainTest, SaysWhereItLooked) {
  made_up_.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  expect_failure(
      Failure::credentials, [&] { return find_credentials(config()); }, "/home/.aws/config");
}

TEST_F(CredentialChainTest, IsNoMachineOfEc2WhereNobodyAnswers) {
  made_up_.transport.answer([](const Sent& sent) -> HttpResponse {
    EXPECT_EQ(sent.url.text(), "http://169.254.169.254/latest/api/token");
    throw TransportError(TransportError::Kind::timeout, "nobody");
  });
  expect_failure(
      Failure::credentials, [&] { return find_credentials(config()); }, "no credentials");
}

TEST_F(CredentialChainTest, AsksNoStrangerForKeys) {
  for (const char* url :
       {"http://example.com/keys", "http://127.example.com/", "http://169.254.170.3/", "file:///keys"}) {
    made_up_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    expect_failure(
        Failure::credentials, [&] { return container_credentials(made_up_.surroundings()); }, url);
  }
  EXPECT_TRUE(made_up_.transport.sent().empty());
  for (const char* url : {"https://example.com/keys", "http://127.0.0.2/keys", "http://[::1]:1234/keys"}) {
    made_up_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    made_up_.transport.answer(keys_until(made_up_.clock.time + 1h, "ID"));
    EXPECT_EQ(container_credentials(made_up_.surroundings())->access_key_id, "ID") << url;
  }
}

TEST_F(CredentialChainTest, SendsAContainersTokenOnOneLine) {
  made_up_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/keys";
  made_up_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "token";
  made_up_.transport.answer(keys_until(made_up_.clock.time + 1h, "ID"));
  static_cast<void>(container_credentials(made_up_.surroundings()));
  EXPECT_EQ(made_up_.transport.sent().front().header("authorization"), "token");
  made_up_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
  made_up_.files["/token"] = "token\r\nHost: other";
  expect_failure(
      Failure::credentials, [&] { return container_credentials(made_up_.surroundings()); }, "one line");
}

TEST_F(CredentialChainTest, FindsAProfileThatLeadsBackToItself) {
  made_up_.files["/home/.aws/config"] =
      "[default]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=b\n"
      "[profile b]\nrole_arn=arn:aws:iam::1:role/b\nsource_profile=default\n";
  expect_failure(
      Failure::credentials, [&] { return find_credentials(config()); }, "leads back");
}

class ConfigTest : public CredentialChainTest {};

TEST_F(ConfigTest, TakesTheRegionInOrder) {
  made_up_.files["/home/.aws/config"] = "[default]\nregion = profile-1\n";
  EXPECT_EQ(config().region(), "profile-1");
  made_up_.variables["AWS_DEFAULT_REGION"] = "default-1";
  EXPECT_EQ(config().region(), "default-1");
  made_up_.variables["AWS_REGION"] = "region-1";
  EXPECT_EQ(config().region(), "region-1");
  EXPECT_EQ(config({.region = "flag-1"}).region(), "flag-1");
}

TEST_F(ConfigTest, TakesTheNearestAddressOfAService) {
  made_up_.files["/home/.aws/config"] =
      "[default]\nservices = here\nendpoint_url = http://profile\n"
      "[services here]\nsagemaker_runtime =\n  endpoint_url = http://section\n";
  EXPECT_EQ(config().endpoint_url(sts), "http://profile");
  EXPECT_EQ(config().endpoint_url(sagemaker_runtime), "http://section");
  made_up_.variables["AWS_ENDPOINT_URL"] = "http://all";
  EXPECT_EQ(config().endpoint_url(sagemaker_runtime), "http://all");
  made_up_.variables["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = "http://one";
  EXPECT_EQ(config().endpoint_url(sagemaker_runtime), "http://one");
  made_up_.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(config().endpoint_url(sagemaker_runtime), "");
}

TEST_F(ConfigTest, RefusesANumberOfAttemptsThatIsNone) {
  EXPECT_EQ(config().attempts(), std::nullopt);
  made_up_.variables["AWS_MAX_ATTEMPTS"] = "7";
  EXPECT_EQ(config().attempts(), 7);
  made_up_.variables["AWS_MAX_ATTEMPTS"] = "0";
  expect_failure(
      Failure::usage, [&] { return config().attempts(); }, "AWS_MAX_ATTEMPTS");
}

}  // namespace
}  // namespace plume::tests
