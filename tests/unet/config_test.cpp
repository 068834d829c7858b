// Configurations: every key can be read, set and printed; every mistake is answered with a hint.
#include "unet/config.hpp"

#include <gtest/gtest.h>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"

namespace plume::unet {
namespace {

using tests::expect_error;
using tests::expect_input_error;

constexpr const char* minimal = "[train]\nsteps = 10\n";

Config load(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const tests::ScratchFolder folder;
  tests::write_file(folder / "config.toml", text);
  return load_config(folder / "config.toml", overrides);
}

TEST(ConfigTest, PrintedConfigurationReadsBackTheSame) {
  Config config = load(minimal, {"model.family=pixel_detector", "optimizer.lr=0.000123456789", "data.shard=a 'b\".h5",
                                 "train.seed=12345678901", "loss.dice=0.25", "optimizer.nesterov=true",
                                 "optimizer.name=sgd", "loss.class_weights=[0.5, 2]", "train.freeze=['enc*', 'a\"b']",
                                 "augment.angle=12.5", "augment.elastic_cells=7"});
  const std::string printed = to_toml(config);
  EXPECT_EQ(to_toml(parse_config(printed, "printed")), printed);
  EXPECT_EQ(parse_config(printed, "printed").schedule.lr, 0.000123456789);
  EXPECT_EQ(parse_config(printed, "printed").augment.angle, 12.5);
  EXPECT_EQ(parse_config(printed, "printed").augment.elastic_cells, 7);
  EXPECT_EQ(parse_config(printed, "printed").data.shard, "a 'b\".h5");
}

TEST(ConfigTest, OverridesWin) {
  EXPECT_EQ(load("[train]\nsteps = 10\n", {"train.steps=20"}).train.steps, 20);
  EXPECT_EQ(load(minimal, {"model.up=bilinear"}).model.up, Up::bilinear);
  EXPECT_EQ(load(minimal, {"model.up='bilinear'"}).model.up, Up::bilinear);
}

TEST(ConfigTest, UnknownKeysNameTheNearest) {
  expect_input_error([] { load("[train]\nsteps = 1\nbatchsize = 4\n"); }, "train.batchsize", "train.batch");
  expect_input_error([] { load("[optimiser]\nlr = 1\n"); }, "optimiser.lr", "optimizer.lr");
  expect_input_error([] { load("steps = 1\n"); }, "steps", "train.steps");
  expect_input_error([] { load(minimal, {"model.bas=4"}); }, "model.bas", "model.base");
}

TEST(ConfigTest, WrongValuesNameWhatIsWanted) {
  expect_input_error([] { load("[train]\nsteps = 'ten'\n"); }, "config.toml", "train.steps", "whole number");
  expect_input_error([] { load("[train]\nsteps = -1\n"); }, "train.steps = -1");
  expect_input_error([] { load("[model]\nfamily = 'resnet'\n"); }, "model.family", "classic, pixel_detector");
  expect_input_error([] { load("[train]\nsteps = 1\nclass_share = 1.5\n"); }, "train.class_share", "from 0 to 1");
  expect_input_error([] { load("[augment]\nangle = 181\n"); }, "augment.angle", "from 0 to 180");
  expect_input_error([] { load("[augment]\nelastic_cells = 2.5\n"); }, "augment.elastic_cells", "whole number");
  expect_input_error([] { load("[train]\nflip = 1\n"); }, "train.flip", "true or false");
  expect_input_error([] { load("[train]\nsteps = [1]\n"); }, "train.steps");
  expect_input_error([] { load("[optimizer]\nlr = nan\n"); }, "optimizer.lr");
}

TEST(ConfigTest, ListsAreListsOfTheirKind) {
  const Config config = load(minimal, {"loss.class_weights=[1, 2.5]", "train.freeze=['enc0.*']"});
  EXPECT_EQ(config.class_weights, (std::vector<double>{1, 2.5}));
  EXPECT_EQ(config.train.freeze, (std::vector<std::string>{"enc0.*"}));
  expect_input_error([] { load(minimal, {"loss.class_weights=2"}); }, "loss.class_weights", "list of numbers");
  expect_input_error([] { load(minimal, {"loss.class_weights=[1, 'b']"}); }, "loss.class_weights", "list of numbers");
  expect_input_error([] { load(minimal, {"loss.class_weights=[1, -2]"}); }, "from 0 to");
  expect_input_error([] { load(minimal, {"train.freeze=[1]"}); }, "train.freeze", "list of names");
}

TEST(ConfigTest, WrongChoicesNameTheNearest) {
  expect_input_error([] { load(minimal, {"schedule.name=cosin"}); }, "did you mean cosine?");
  expect_input_error([] { load(minimal, {"optimizer.name=adam"}); }, "did you mean adamw?");
  expect_input_error([] { load(minimal, {"train.on_nan=ignore"}); }, "one of stop, skip");
}

TEST(ConfigTest, KeysThatDoNotGoTogetherAreRefused) {
  const auto refused = [](const std::vector<std::string>& overrides, const std::string& why, const std::string& hint) {
    expect_input_error([&] { load(minimal, overrides); }, why, hint);
  };
  refused({"loss.cross_entropy=0"}, "nothing to learn", "set one");
  refused({"loss.ordinal=1"}, "loss.ordinal is for 2 to 16 classes", "loss.cross_entropy");
  refused({"loss.cross_entropy=0", "loss.dice=1", "loss.label_smoothing=0.1"}, "label_smoothing", "loss.cross_entropy");
  refused({"loss.class_weights=[1, 2, 3]"}, "has 3 numbers", "2 labels");
  refused({"loss.class_weights=[0, 0]"}, "all 0", "nothing to learn");
  refused({"loss.cross_entropy=0", "loss.lovasz=1", "loss.class_weights=[1, 2]"}, "loss.class_weights", "focal");
  refused({"loss.tversky=1", "loss.tversky_alpha=0", "loss.tversky_beta=0"}, "loss.tversky_alpha", "both 0");
  refused({"optimizer.nesterov=true"}, "of sgd and lars", "optimizer.name");
  refused({"optimizer.nesterov=true", "optimizer.name=sgd", "optimizer.momentum=0"}, "optimizer.momentum", "0.9");
  EXPECT_EQ(load(minimal, {"loss.ordinal=1", "model.classes=4", "loss.class_weights=[1, 1, 2, 4]"}).loss.ordinal, 1);
}

TEST(ConfigTest, BrokenFilesNameThePlace) {
  expect_input_error([] { load("[train\nsteps = 1\n"); }, "config.toml:1");
  expect_input_error([] { static_cast<void>(load_config("/nowhere/config.toml", {})); }, "/nowhere/config.toml");
  expect_input_error([] { load(""); }, "train.steps");
  expect_input_error([] { load("[train]\nsteps = 1\nbatch = 4\naccumulate = 3\n"); }, "train.accumulate");
  expect_input_error([] { load("[train]\nsteps = 1\n[loss]\ncross_entropy = 0\n"); }, "nothing to learn");
  expect_error(
      ErrorKind::usage, [] { load(minimal, {"train.steps"}); }, "key=value");
}

}  // namespace
}  // namespace plume::unet
