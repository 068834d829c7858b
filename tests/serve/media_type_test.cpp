// Content-Type and Accept, as the standard and as clients write them.
#include "unet/serve/media_type.hpp"

#include <gtest/gtest.h>

#include <array>

#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

constexpr std::array<std::string_view, 3> offered{"application/json", "application/x-npy", "image/png"};

std::string chosen(std::string_view accept) {
  const auto type = choose_type(parse_accept(accept), offered);
  return type ? type->name : "none";
}

TEST(MediaType, HasNameAndParameters) {
  const auto type = parse_media_type("Image/PNG ; Kind=overlay;threshold=\"0.\\\"4\"");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->name, "image/png");
  EXPECT_EQ(type->parameter("kind"), "overlay");
  EXPECT_EQ(type->parameter("threshold"), "0.\"4");
  EXPECT_EQ(type->parameter("other"), "");
}

TEST(MediaType, RefusesWhatIsNone) {
  for (const char* text :
       {"", "json", "application/", "/json", "*/json", "a/b c", "a/b;c", "a/b;c=", "a/b;c=\"d", "a/b;c=\"\\"}) {
    EXPECT_FALSE(parse_media_type(text)) << text;
  }
}

TEST(Accept, PrefersByQualityThenByOrderOfTheOffer) {
  EXPECT_EQ(chosen(""), "application/json");
  EXPECT_EQ(chosen("*/*"), "application/json");
  EXPECT_EQ(chosen("image/png"), "image/png");
  EXPECT_EQ(chosen("image/*, application/json;q=0.5"), "image/png");
  EXPECT_EQ(chosen("image/png;q=0.2, application/x-npy;q=0.3"), "application/x-npy");
  EXPECT_EQ(chosen("image/png, application/x-npy"), "application/x-npy");
  EXPECT_EQ(chosen("text/html, */*;q=0.1"), "application/json");
  EXPECT_EQ(chosen("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), "application/json");  // Java's default
}

TEST(Accept, TheMostSpecificEntryCountsForAType) {
  EXPECT_EQ(chosen("*/*, application/json;q=0"), "application/x-npy");
  EXPECT_EQ(chosen("application/*;q=0.1, application/x-npy;q=0.2, image/*;q=0.15"), "application/x-npy");
  EXPECT_EQ(chosen("*/*;q=0.9, application/*;q=0, image/png;q=0.1"), "image/png");
}

TEST(Accept, NothingFits) {
  EXPECT_EQ(chosen("text/html"), "none");
  EXPECT_EQ(chosen("application/json;q=0"), "none");
  EXPECT_EQ(chosen("*/*;q=0.000"), "none");
}

TEST(Accept, ParametersComeWithTheTypeButNotThoseBehindQ) {
  const auto type = choose_type(parse_accept("image/png;kind=mask;q=0.1, image/png;kind=overlay;q=0.7;x=1"), offered);
  ASSERT_TRUE(type);
  EXPECT_EQ(type->parameter("kind"), "overlay");
  EXPECT_EQ(type->parameter("q"), "");
  EXPECT_EQ(type->parameter("x"), "");
}

TEST(Accept, RefusesWhatIsNoList) {
  for (const char* text : {"json", "**", "*/b", "a/b;q=2", "a/b;q=-1", "a/b;q=x", "a/b;q=nan", "a/b c/d", "a/b;q"}) {
    EXPECT_THROW(static_cast<void>(parse_accept(text)), RequestError) << text;
  }
  EXPECT_EQ(parse_accept(" , a/b ,, c/d;q=0.5,").size(), 2);
}

}  // namespace
}  // namespace plume::serve
