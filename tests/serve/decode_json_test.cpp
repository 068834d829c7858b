// Nested lists of numbers to pixels, and all that may be wrong with them.
#include "unet/serve/decode_json.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "expect_refused.hpp"

namespace plume::serve {
namespace {

ImageBatch decoded(std::string text) {
  return decode_json(text, {});
}

void expect_refused(Status status, std::string_view part, const std::string& text) {
  expect_refused(status, part, [&] { static_cast<void>(decoded(text)); });
}

TEST(DecodeJson, NestedListsBecomeABatch) {
  const ImageBatch batch = decoded(" [[[[1,2],[3,4.5],[-5,6e1]]] , [[[7,8],[9,10],[11,12]]]]\n");
  EXPECT_EQ(batch.images, 2);
  EXPECT_EQ(batch.height, 1);
  EXPECT_EQ(batch.width, 3);
  EXPECT_EQ(batch.bands, 2);
  EXPECT_EQ(batch.pixels, (std::vector<float>{1, 2, 3, 4.5F, -5, 60, 7, 8, 9, 10, 11, 12}));
}

TEST(DecodeJson, AnImageAloneIsABatchOfOne) {
  const ImageBatch batch = decoded("[[[1],[2]]]");
  EXPECT_EQ(batch.images, 1);
  EXPECT_EQ(batch.width, 2);
}

TEST(DecodeJson, InstancesMayHaveASignature) {
  EXPECT_EQ(decoded(R"({"instances": [[[[7]]]]})").pixels, std::vector<float>{7});
  EXPECT_EQ(decoded(R"({"signature_name": "serving_default", "instances": [[[[7]]]]})").pixels, std::vector<float>{7});
}

TEST(DecodeJson, NumbersAreTheFloatsThatWereWritten) {
  std::mt19937 random(1);
  std::string text = "[[[";
  std::vector<float> expected;
  while (expected.size() < 1000) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    expected.push_back(value);
    std::array<char, 32> digits{};
    text.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
    text += ',';
  }
  text.back() = ']';
  EXPECT_EQ(decoded(text + "]]").pixels, expected);
}

TEST(DecodeJson, WhatIsNoJsonIsRefused) {
  const std::string good = R"({"instances": [[[[1.5, 2], [3, 4]]]]})";
  for (std::size_t length = 0; length < good.size(); ++length) {
    expect_refused(Status::bad_request, "no JSON", good.substr(0, length));
  }
  for (const char* text : {"",
                           " ",
                           "[",
                           "]",
                           "[[[[1]]]]]",
                           "[[[[1]]]] x",
                           "[[[[1,]]]]",
                           "[[[[1 2]]]]",
                           "[[[[,1]]]]",
                           "[[[[NaN]]]]",
                           "[[[[Infinity]]]]",
                           "[[[[-]]]]",
                           "[[[[01]]]]",
                           "[[[[1.]]]]",
                           "[[[[0x10]]]]",
                           "[[[[1e400]]]]",
                           "[[[[1e]]]]",
                           "nul",
                           "[[[[1]]]] [[[[1]]]]",
                           "\xff\xfe",
                           "[[[[\"\xff\"]]]]"}) {
    expect_refused(Status::bad_request, "no JSON", std::string(text));
  }
}

TEST(DecodeJson, WhatIsNoListOfNumbersIsRefused) {
  for (const char* text :
       {"1", "\"a\"", "null", "true", "{}", R"([[[["1"]]]])", "[[[[null]]]]", "[[[[{}]]]]", "[[[{}]]]",
        R"({"inputs": [[[[1]]]]})", R"({"instances": 1})", R"({"instances": [[[[1]]]], "instances": [[[[1]]]]})",
        R"({"instances": [[[[1]]]], "signature_name": 1})", R"({"signature_name": "a"})"}) {
    expect_refused(Status::bad_request, "", std::string(text));
  }
}

TEST(DecodeJson, RaggedListsAreRefused) {
  for (const char* text : {"[[[[1,2],[3]]]]", "[[[[1]],[[1],[2]]]]", "[[[[1]]],[[[1]],[[2]]]]", "[[[[1,2],[3,4,5]]]]",
                           "[[[[1],2]]]", "[[[1,[2]]]]", "[[[[1]]],[[1]]]", "[[[[1]]],3]", "[[[[1],[]]]]"}) {
    expect_refused(Status::bad_request, "", std::string(text));
  }
}

TEST(DecodeJson, OtherDepthsAndEmptyListsAreRefused) {
  for (const char* text : {"[]", "[[]]", "[[[]]]", "[[[[]]]]", "[1]", "[[1]]", "[[[[],[]]]]", "[[[[[1]]]]]"}) {
    expect_refused(Status::unprocessable_content, "", std::string(text));
  }
}

TEST(DecodeJson, DeepNestingIsRefusedAtOnce) {
  for (const char* open : {"[", "{\"a\":", "{\"instances\":"}) {
    std::string text;
    while (text.size() < 4'000'000) text += open;
    EXPECT_THROW(static_cast<void>(decode_json(text, {})), RequestError) << open;
  }
}

TEST(DecodeJson, MoreNumbersThanTheLimitAreRefused) {
  std::string text = "[[[[1],[2],[3],[4]]]]";
  expect_refused(Status::content_too_large, "3 numbers", [&] { static_cast<void>(decode_json(text, {.values = 3})); });
  EXPECT_EQ(decode_json(text, {.values = 4}).pixels.size(), 4);
}

TEST(DecodeJson, ANumberBeyondAFloatIsNotFinite) {
  EXPECT_TRUE(std::isinf(decoded("[[[[1e39]]]]").pixels.front()));
}

}  // namespace
}  // namespace plume::serve
