// The learning-rate range test: on curves drawn by hand, and on a training.
#include "unet/find_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../expect_error.hpp"
#include "small_training.hpp"

namespace plume::unet {
namespace {

// Losses at rates of 1e-6, 1e-5, ...
std::vector<RateTrial> trials_of(const std::vector<double>& losses) {
  std::vector<RateTrial> trials;
  for (std::size_t i = 0; i < losses.size(); ++i)
    trials.push_back({std::pow(10.0, static_cast<double>(i) - 6), losses[i], losses[i]});
  return trials;
}

TEST(FindRate, SuggestsATenthOfWhereTheLossIsLeast) {
  const RateSearch search = judge(trials_of({1, 0.99, 0.9, 0.5, 0.4, 0.45, 3}));
  EXPECT_DOUBLE_EQ(search.suggested, 1e-3);
  EXPECT_DOUBLE_EQ(search.lowest, 1e-2);
  const std::string text = to_text(search);
  EXPECT_NE(text.find("optimizer.lr = 1.0e-03"), std::string::npos) << text;
}

TEST(FindRate, RefusesALossThatNeverFell) {
  tests::expect_input_error([] { static_cast<void>(judge(trials_of({1, 1.1, 1.2}))); }, "fell at no learning rate");
  tests::expect_input_error(
      [] {
        static_cast<void>(judge(trials_of({1, 0.999, 0.995, 1})));
      },
      "fell at no learning rate");
  tests::expect_input_error([] { static_cast<void>(judge({})); }, "fell at no learning rate");
}

TEST(FindRate, FindsARateThatTrains) {
  const tests::ScratchFolder folder;
  Config config = tests::small_config(tests::small_shard(folder));
  config.train.batch = 2;
  const RateSearch search = find_rate(config, {.lowest = 1e-5, .highest = 1e3, .steps = 50});
  EXPECT_LT(search.trials.size(), 50U);  // it fell apart before the highest
  EXPECT_GT(search.suggested, 1e-5);
  EXPECT_LT(search.suggested, search.lowest);
  // The same again: nothing of it hangs on chance.
  EXPECT_EQ(find_rate(config, {.lowest = 1e-5, .highest = 1e3, .steps = 50}).suggested, search.suggested);
}

}  // namespace
}  // namespace plume::unet
