// Keras files give their weights in PyTorch's layouts; damaged ones give one line.
#include "unet/import_keras.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "keras_writer.hpp"

namespace plume::unet {
namespace {

using tests::expect_input_error;
using tests::KerasFileContent;
using tests::KerasModelConfig;
using tests::read_file;
using tests::ScratchFolder;
using tests::write_file;

std::vector<float> counting(std::size_t count, float start) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), start);
  return values;
}

// stem (3x3, 2 to 3 channels), norm without beta, pool, up (transposed 3x3, 3 to 4 channels), head (1x1).
KerasFileContent small_model() {
  KerasModelConfig model;
  model.input(2).conv("stem", "image", 3, 3, "relu").batch_norm("block/norm", "stem", {{"center", false}});
  model.add("MaxPooling2D", "pool", {"block/norm"}, {{"pool_size", {2, 2}}, {"strides", {2, 2}}});
  model.conv("up", "pool", 4, 3, "linear", {{"output_padding", nullptr}, {"strides", {2, 2}}, {"use_bias", false}});
  model.conv("head", "up", 1, 1, "sigmoid");
  return {.model_config = model.text("head"),
          .weights = {{"stem", "stem/kernel:0", {3, 3, 2, 3}, counting(54, 0)},
                      {"stem", "stem/bias:0", {3}, {-1, -2, -3}},
                      {"block/norm", "block/norm/gamma:0", {3}, {1, 2, 3}},
                      {"block/norm", "block/norm/moving_mean:0", {3}, {4, 5, 6}},
                      {"block/norm", "block/norm/moving_variance:0", {3}, {7, 8, 9}},
                      {"up", "up/kernel:0", {3, 3, 4, 3}, counting(108, 100)},
                      {"head", "head/kernel", {1, 1, 4, 1}, {1, 2, 3, 4}},
                      {"head", "head/bias", {1}, {0.5F}}}};
}

class ImportKerasTest : public testing::Test {
 protected:
  void expect_refused(const KerasFileContent& content, std::string_view part) {
    tests::write_keras_h5(path_, content);
    expect_refused(part);
  }
  // HDF5 must not print its own error stack beside our line.
  void expect_refused(std::string_view part) {
    testing::internal::CaptureStderr();
    expect_input_error([&] { (void)read_keras_h5(path_); }, path_.string(), part);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  }
  static tests::KerasWeight& weight(KerasFileContent& content, std::string_view name) {
    return *std::ranges::find(content.weights, name, &tests::KerasWeight::name);
  }

  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.h5";
};

TEST_F(ImportKerasTest, WeightsComeInTorchsLayouts) {
  for (const bool fixed_length_text : {false, true}) {
    KerasFileContent content = small_model();
    content.fixed_length_text = fixed_length_text;
    tests::write_keras_h5(path_, content);
    const KerasModel model = read_keras_h5(path_);
    const std::vector<ParameterShape> shapes = parameter_shapes(model.graph);
    ASSERT_EQ(model.parameters.size(), shapes.size());
    std::map<std::string, std::vector<float>> values;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      EXPECT_EQ(model.parameters[i].name, shapes[i].name);
      EXPECT_EQ(model.parameters[i].shape, shapes[i].shape);
      values[shapes[i].name] = model.parameters[i].values;
    }
    const auto at = [](std::size_t row, std::size_t column, std::size_t b, std::size_t bs, std::size_t a,
                       std::size_t as) { return static_cast<float>(((row * 3 + column) * bs + b) * as + a); };
    // stem: Keras (h, w, in, out), ours (out, in, h, w). up: Keras (h, w, out, in), ours (in, out, h, w).
    EXPECT_EQ(values["stem.weight"][((2 * 2 + 1) * 3 + 0) * 3 + 2], at(0, 2, 1, 2, 2, 3));
    EXPECT_EQ(values["stem.weight"][((0 * 2 + 1) * 3 + 2) * 3 + 1], at(2, 1, 1, 2, 0, 3));
    EXPECT_EQ(values["up.weight"][((2 * 4 + 3) * 3 + 1) * 3 + 0], 100 + at(1, 0, 3, 4, 2, 3));
    EXPECT_EQ(values["stem.bias"], (std::vector<float>{-1, -2, -3}));
    EXPECT_EQ(values["block/norm.weight"], (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(values["block/norm.bias"], (std::vector<float>{0, 0, 0}));
    EXPECT_EQ(values["block/norm.running_mean"], (std::vector<float>{4, 5, 6}));
    EXPECT_EQ(values["block/norm.running_var"], (std::vector<float>{7, 8, 9}));
    EXPECT_EQ(values["head.weight"], (std::vector<float>{1, 2, 3, 4}));
    EXPECT_FALSE(values.contains("up.bias"));
  }
}

TEST_F(ImportKerasTest, VarianceRuleFollowsKerassVersion) {
  for (const auto& [version, unbiased] :
       {std::pair("2.2.4-tf", true), std::pair("2.15.0", true), std::pair("3.4.1", false)}) {
    KerasFileContent content = small_model();
    content.keras_version = version;
    tests::write_keras_h5(path_, content);
    const Graph graph = read_keras_h5(path_).graph;
    EXPECT_EQ(std::ranges::find(graph.layers, "block/norm", &Layer::name)->unbiased_variance, unbiased) << version;
  }
}

TEST_F(ImportKerasTest, WeightsThatDoNotFitAreNamed) {
  KerasFileContent content = small_model();
  weight(content, "stem/kernel:0").shape = {3, 3, 3, 2};
  expect_refused(content,
                 "layer 'stem': weight kernel has shape [3, 3, 3, 2], but the layer graph asks for [3, 3, 2, 3]");
  content = small_model();
  weight(content, "head/bias").name = "head/bias_of_another";
  expect_refused(content, "layer 'head': weight bias is not among the layer's weights");
  content = small_model();
  weight(content, "head/bias").values[0] = std::numeric_limits<float>::quiet_NaN();
  expect_refused(content, "layer 'head': weight bias holds NaN or infinity");
  content = small_model();
  std::erase_if(content.weights, [](const tests::KerasWeight& w) { return w.layer == "up"; });
  expect_refused(content, "layer 'up': weight kernel has no group under model_weights");
}

TEST_F(ImportKerasTest, RefusedLayersAreNamedWithTheFile) {
  KerasFileContent content = small_model();
  KerasModelConfig model;
  model.input(2).add("Dense", "dense_1", {"image"}).conv("head", "dense_1", 1, 1, "sigmoid");
  content.model_config = model.text("head");
  expect_refused(content, "layer 'dense_1' (Dense) is of a class that is not supported");
}

TEST_F(ImportKerasTest, FilesThatAreNoModelsAreRefused) {
  expect_refused("no such file");
  std::filesystem::create_directory(path_);
  expect_refused("not a regular file");
  std::filesystem::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);  // refused, not waited for
  expect_refused("not a regular file");
  std::filesystem::remove(path_);
  write_file(path_, "");
  expect_refused("not a readable HDF5 file");
  write_file(path_, "PK\x03\x04 a .keras archive");
  expect_refused("save a .keras model as .h5");
  std::mt19937 random(3);
  std::string bytes(100'000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  write_file(path_, bytes);
  expect_refused("not a readable HDF5 file");
  write_file(path_, "\x89HDF\r\n\x1a\n" + bytes);
  expect_refused("");

  const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
  expect_refused("no attribute model_config");
}

TEST_F(ImportKerasTest, TruncatedFilesAreRefused) {
  tests::write_keras_h5(path_, small_model());
  const std::string whole = read_file(path_);
  for (std::size_t length = 0; length < whole.size(); length += 61) {
    SCOPED_TRACE(length);
    write_file(path_, whole.substr(0, length));
    expect_refused("");
  }
}

// A changed byte may go unnoticed in a weight, but must never end in anything but a model or one line.
TEST_F(ImportKerasTest, FlippedBytesNeverCrash) {
  tests::write_keras_h5(path_, small_model());
  const std::string whole = read_file(path_);
  std::mt19937 random(5);
  testing::internal::CaptureStderr();
  for (int trial = 0; trial < 400; ++trial) {
    std::string bytes = whole;
    for (int flips = 1 + trial % 3; flips > 0; --flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    write_file(path_, bytes);
    try {
      validate(read_keras_h5(path_).graph);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace plume::unet
