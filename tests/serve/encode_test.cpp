// Which answer a client gets, and what is in it.
#include "unet/serve/encode.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "expect_refused.hpp"

namespace plume::serve {
namespace {

AnswerType chosen(std::string_view accept) {
  return choose_answer(accept, "application/json", 0.25F);
}

TEST(ChooseAnswer, TakesTypeAndParameters) {
  EXPECT_EQ(chosen("").name, "application/json");
  EXPECT_EQ(chosen("").threshold, 0.25F);
  EXPECT_EQ(choose_answer("*/*", "image/png", 0.5F).name, "image/png");
  EXPECT_EQ(choose_answer("application/*", "image/png", 0.5F).name, "application/json");
  const AnswerType picture = chosen("image/png; kind=overlay; threshold=0.75");
  EXPECT_EQ(picture.picture, Picture::overlay);
  EXPECT_EQ(picture.threshold, 0.75F);
  EXPECT_EQ(chosen("image/png; kind=mask").picture, Picture::mask);
  EXPECT_EQ(chosen("application/geo+json; simplify=1.5").simplify, 1.5);
  EXPECT_EQ(chosen("image/png; min-area=20").least_area, 20);
  EXPECT_EQ(chosen("image/png").least_area, 0);
}

TEST(ChooseAnswer, RefusesWhatItDoesNotKnow) {
  for (const char* accept :
       {"text/html", "image/png; threshold=1.5", "image/png; threshold=-0.1", "image/png; threshold=nan",
        "image/png; threshold=0.5x", "image/png; kind=other", "application/json; kind=overlay",
        "application/geo+json; simplify=1001", "image/png; min-area=-1", "image/png; min-area=some"}) {
    expect_refused(Status::not_acceptable, "", [&] { static_cast<void>(chosen(accept)); });
  }
  expect_refused(Status::bad_request, "Accept", [] { static_cast<void>(chosen("image")); });
}

TEST(EncodeAnswer, WhatIsNotFiniteIsNotAnswered) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    expect_refused(Status::unprocessable_content, "not finite", [&] {
      static_cast<void>(encode_answer({.name = "application/json"}, {1, 1, 2, 1, {1, 1}}, {1, 1, 2, 1, {0.5F, bad}}));
    });
  }
}

TEST(EncodeAnswer, FillIsNoSmoke) {
  const ImageBatch asked{.images = 1, .height = 1, .width = 2, .bands = 1, .pixels = {1, 1}, .valid = {0, 1}};
  EXPECT_EQ(encode_answer({.name = "application/json"}, asked, {1, 1, 2, 1, {0.5F, 0.5F}}).body,
            R"({"predictions": [[[[0],[0.5]]]]})");
}

TEST(EncodeAnswer, RegionsThatAreTooSmallAreNoSmoke) {
  const ImageBatch asked{.images = 1, .height = 2, .width = 4, .bands = 1, .pixels = std::vector<float>(8)};
  const Probabilities probabilities{1, 2, 4, 1, {1, 1, 0, 0, 1, 0, 0, 1}};
  const auto features = [&](std::int64_t least_area) {
    const auto answer = encode_answer({.name = "application/geo+json", .least_area = least_area}, asked, probabilities);
    return nlohmann::json::parse(answer.body).at("features").size();
  };
  EXPECT_EQ(features(0), 2);
  EXPECT_EQ(features(2), 1);
  EXPECT_EQ(features(3), 1);
  EXPECT_EQ(features(4), 0);
}

TEST(RequireHolds, SeveralImagesAreNumbersOnly) {
  const ImageBatch two{.images = 2, .height = 1, .width = 1, .bands = 1};
  EXPECT_NO_THROW(require_holds({.name = "application/json"}, two));
  EXPECT_NO_THROW(require_holds({.name = "application/x-npy"}, two));
  for (const char* type : {"image/png", "image/tiff", "application/geo+json"}) {
    expect_refused(Status::not_acceptable, "one image", [&] { require_holds({.name = type}, two); });
    EXPECT_NO_THROW(require_holds({.name = type}, {.images = 1}));
  }
}

TEST(RequireHolds, APngHasEdgesOfAMillionPixels) {
  const ImageBatch wide{.images = 1, .height = 1, .width = 1'000'001, .bands = 1};
  expect_refused(Status::not_acceptable, "1x1000001", [&] { require_holds({.name = "image/png"}, wide); });
  EXPECT_NO_THROW(require_holds({.name = "image/tiff"}, wide));
  const std::vector<float> row(1'000'000);
  const ImageBatch widest{.images = 1, .height = 1, .width = 1'000'000, .bands = 1, .pixels = row};
  EXPECT_NO_THROW(require_holds({.name = "image/png"}, widest));
  EXPECT_NO_THROW(static_cast<void>(encode_answer({.name = "image/png"}, widest, {1, 1, 1'000'000, 1, row})));
}

}  // namespace
}  // namespace plume::serve
