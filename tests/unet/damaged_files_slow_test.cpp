// Thousands of damaged models, shards and Keras files: each is read, or refused as input; none crashes a reader or has
// it print beside our line.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../data/tiles.hpp"
#include "../scratch_folder.hpp"
#include "data/shards/shard.hpp"
#include "keras_writer.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/philox.hpp"
#include "nn/initialize.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/import_keras.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"

namespace plume::tests {
namespace {

// Cut short, bytes changed, a number turned into NaN, or a piece moved elsewhere: mostly near the front, where the
// formats keep what they say of themselves.
std::string damaged(std::string bytes, Philox& draw) {
  const auto place = [&](std::size_t margin) {
    const auto size = static_cast<std::uint32_t>(bytes.size() - margin);
    return std::size_t{draw.below(draw.below(2) == 0 ? size : std::min<std::uint32_t>(size, 4096))};
  };
  switch (draw.below(8)) {
    case 0: bytes.resize(place(0)); break;
    case 1: {
      const float nan = std::numeric_limits<float>::quiet_NaN();
      std::memcpy(bytes.data() + place(sizeof nan), &nan, sizeof nan);
      break;
    }
    case 2: {
      const std::size_t from = place(32);
      const std::size_t to = place(32);
      std::memmove(bytes.data() + to, bytes.data() + from, 1 + draw.below(32));
      break;
    }
    default:
      for (std::uint32_t count = 1 + draw.below(4); count > 0; --count)
        bytes[place(0)] = static_cast<char>(draw.next());
  }
  return bytes;
}

// read(path) for `rounds` damaged copies of a whole file.
void expect_survives(const std::string& whole, const std::string& name, int rounds,
                     const std::function<void(const std::filesystem::path& path)>& read) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder / name;
  Philox draw(31, 0);
  int refused = 0;
  testing::internal::CaptureStderr();
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(round);
    write_file(path, damaged(whole, draw));
    try {
      read(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      ++refused;
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(refused, rounds / 10) << "the damage hits nothing that matters";
}

TEST(DamagedFilesSlow, Models) {
  const ScratchFolder folder;
  unet::Network network(unet::build_graph({.bands = 2, .base = 1, .depth = 1}));
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  unet::save_model(folder / "model.safetensors", network, {}, "");
  const std::vector<float> pixels(8 * 8 * 2, 1.0F);
  expect_survives(read_file(folder / "model.safetensors"), "model.safetensors", 20'000, [&](const auto& path) {
    const unet::Network loaded = unet::load_model(path);
    if (loaded.graph().input.bands != 2) return;
    static_cast<void>(unet::Predictor(loaded, 1).probabilities(pixels.data(), 1, 8, 8));
  });
}

TEST(DamagedFilesSlow, Shards) {
  const ScratchFolder folder;
  write_shard(folder / "tiles.h5", 4);
  expect_survives(read_file(folder / "tiles.h5"), "tiles.h5", 10'000, [](const auto& path) {
    const data::Shard shard(path);
    const data::ShardInfo& info = shard.info();
    std::vector<float> pixels(shard.image(0).size());
    std::vector<std::uint8_t> labels(shard.labels(0).size());
    for (int tile = 0; tile < info.tiles; ++tile) {
      shard.read(tile, info.mean, info.std, pixels.data());
      shard.read_labels(tile, {0, 0, info.height, info.width}, labels.data());
    }
  });
}

TEST(DamagedFilesSlow, KerasModels) {
  const ScratchFolder folder;
  KerasModelConfig model;
  model.input(2).conv("stem", "image", 3, 3, "relu").conv("head", "stem", 1, 1, "sigmoid");
  write_keras_h5(folder / "model.h5", {.model_config = model.text("head"),
                                       .weights = {{"stem", "stem/kernel:0", {3, 3, 2, 3}, std::vector<float>(54)},
                                                   {"stem", "stem/bias:0", {3}, {1, 2, 3}},
                                                   {"head", "head/kernel:0", {1, 1, 3, 1}, {1, 2, 3}},
                                                   {"head", "head/bias:0", {1}, {0.5F}}}});
  expect_survives(read_file(folder / "model.h5"), "model.h5", 1'000,
                  [](const auto& path) { unet::validate(unet::read_keras_h5(path).graph); });
}

}  // namespace
}  // namespace plume::tests
