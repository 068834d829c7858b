// Labels that say how much of a class a pixel is: where they say all or nothing, a training on them is that on plain
// labels.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <array>
#include <cstring>

#include "../expect_error.hpp"
#include "float_tiles.hpp"
#include "unet/train.hpp"

namespace plume::unet {
namespace {

// Four levels by value.
std::uint8_t level_of(float value) {
  return value < -0.2F ? 0 : value < 0.3F ? 1 : value < 0.6F ? 2 : 3;
}

void set_label_target(const std::filesystem::path& shard, const std::array<float, 4>& targets) {
  const hid_t file = H5Fopen(shard.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hsize_t size = targets.size();
  const hid_t space = H5Screate_simple(1, &size, nullptr);
  const hid_t attribute = H5Acreate2(file, "label_target", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_FLOAT, targets.data()), 0);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Fclose(file);
}

class SoftLabelsTest : public testing::Test {
 protected:
  SoftLabelsTest() : soft_(tests::float_shard(folder_ / "soft", 6, 4, level_of)) {}

  static Config config_for(const std::filesystem::path& shard) {
    return parse_config("[data]\nshard = '" + shard.string() +
                            "'\n[model]\nbands = 2\nbase = 4\ndepth = 1\n[train]\nbatch = 2\nsteps = 6\n"
                            "validate_every = 3\n[loss]\ndice = 1\n",
                        "small");
  }

  TrainOutcome run(const std::string& name, const Config& config) {
    TrainOptions options;
    options.config = config;
    options.output = folder_ / name;
    options.quiet = true;
    return train(options);
  }

  tests::ScratchFolder folder_;
  std::filesystem::path soft_;
};

TEST_F(SoftLabelsTest, AllOrNothingIsAsPlainLabels) {
  set_label_target(soft_, {0, 0, 1, 1});
  const auto plain =
      tests::float_shard(folder_ / "plain", 6, 1, [](float value) -> std::uint8_t { return level_of(value) >= 2; });
  const TrainOutcome soft = run("a", config_for(soft_));
  const TrainOutcome hard = run("b", config_for(plain));
  EXPECT_DOUBLE_EQ(soft.last_loss, hard.last_loss);
  EXPECT_DOUBLE_EQ(soft.progress.best_iou, hard.progress.best_iou);
}

TEST_F(SoftLabelsTest, PartsCount) {
  set_label_target(soft_, {0, 0.3F, 0.6F, 1});
  const auto plain =
      tests::float_shard(folder_ / "plain", 6, 1, [](float value) -> std::uint8_t { return level_of(value) >= 2; });
  EXPECT_NE(run("a", config_for(soft_)).last_loss, run("b", config_for(plain)).last_loss);
}

TEST_F(SoftLabelsTest, TermsThatWantClassesAreRefused) {
  set_label_target(soft_, {0, 0.3F, 0.6F, 1});
  Config config = config_for(soft_);
  config.loss.lovasz = 1;
  tests::expect_input_error([&] { run("a", config); }, "loss.lovasz is for labels that are classes",
                            "model.classes = 4");
  config = config_for(soft_);
  config.model.classes = 4;
  config.loss.ordinal = 1;
  EXPECT_TRUE(run("levels", config).progress.step == 6);
}

}  // namespace
}  // namespace plume::unet
