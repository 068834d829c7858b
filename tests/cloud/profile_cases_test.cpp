// The cases on profile files that AWS's clients share: every one.
#include <gtest/gtest.h>

#include "aws_data.hpp"
#include "cloud/credentials/config.hpp"
#include "test_surroundings.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

Sections sections_of(const Json& document) {
  Sections sections;
  for (const auto& [name, properties] : document.items()) sections[name] = properties.get<Properties>();
  return sections;
}

TEST(ProfileCases, ParsesEveryFile) {
  PLUME_NEEDS_AWS_DATA();
  const Json document = read_json(aws_data() / "credentials/profile-parser-tests.json");
  int replayed = 0;
  for (const Json& one : document["tests"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    ++replayed;
    const Json& output = one["output"];
    try {
      const ProfileFiles files =
          parse_profiles(one["input"].value("configFile", ""), one["input"].value("credentialsFile", ""));
      ASSERT_TRUE(output.contains("config")) << output;
      EXPECT_EQ(files.profiles, sections_of(output["config"]["profiles"]));
      EXPECT_EQ(files.sso_sessions, sections_of(output["config"].value("sso_sessions", Json::object())));
    } catch (const cloud::Error& error) {
      const std::string expected = output.value("errorContaining", "no error");
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what() << "\nlacks " << expected;
    }
  }
  EXPECT_EQ(replayed, 65);
}

// Those of Windows are of a system that plume does not run on.
TEST(ProfileCases, FindsEveryFile) {
  PLUME_NEEDS_AWS_DATA();
  const Json document = read_json(aws_data() / "credentials/file-location-tests.json");
  int replayed = 0;
  int windows = 0;
  for (const Json& one : document["tests"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    if (one["platform"] == "windows") {
      ++windows;
      continue;
    }
    ++replayed;
    TestSurroundings made_up;
    made_up.variables = one["environment"].get<std::map<std::string, std::string>>();
    const ProfileLocations locations = profile_locations(made_up.surroundings());
    EXPECT_EQ(locations.config.string(), one["configLocation"]);
    EXPECT_EQ(locations.credentials.string(), one["credentialsLocation"]);
    EXPECT_EQ(Config({}, made_up.surroundings()).profile(), one.value("profile", "default"));
  }
  EXPECT_EQ(replayed, 4);
  EXPECT_EQ(windows, 5);
}

}  // namespace
}  // namespace plume::tests
