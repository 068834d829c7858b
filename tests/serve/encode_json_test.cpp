// The text holds the very floats, in the shape that was asked for.
#include "unet/serve/encode_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace plume::serve {
namespace {

TEST(EncodeJson, NestsByImageRowColumnAndClass) {
  const Probabilities probabilities{2, 1, 2, 2, {0, 1, 0.25F, 0.5F, 1e-6F, 0.1F, 0.2F, 0.3F}};
  EXPECT_EQ(encode_json(probabilities), R"({"predictions": [[[[0,1],[0.25,0.5]]],[[[1e-06,0.1],[0.2,0.3]]]]})");
}

TEST(EncodeJson, TheLongestNumbersFitAndComeBackTheSame) {
  constexpr float smallest = std::numeric_limits<float>::denorm_min();
  Probabilities probabilities{1, 100, 1, 1, {}};
  for (int i = 0; i < 100; ++i) probabilities.values.push_back(-1.17549435e-38F - static_cast<float>(i) * smallest);
  const auto parsed = nlohmann::json::parse(encode_json(probabilities));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(parsed["predictions"][0][i][0][0].get<float>(), probabilities.values[i]);
  }
}

}  // namespace
}  // namespace plume::serve
