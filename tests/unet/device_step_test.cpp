// Whole training steps on CUDA: beside the CPU's, and the same bits whether they are replayed or not, copied ahead or
// not.
#include "device_step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "nn/transfer.hpp"

namespace plume::unet {
namespace {

using tests::cpu;
using tests::cuda;
using tests::drawn_batch;
using tests::SmallTraining;

class DeviceStep : public testing::Test {
 protected:
  void SetUp() override {
    if (kernels::cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device";
  }
};

class DeviceStepOf : public DeviceStep, public testing::WithParamInterface<Family> {
 protected:
  static Config config(DeviceSettings device) { return tests::device_config(GetParam(), device); }
};

std::string name_of(const testing::TestParamInfo<Family>& info) {
  return info.param == Family::classic ? "classic" : "pixel_detector";
}

INSTANTIATE_TEST_SUITE_P(, DeviceStepOf, testing::Values(Family::classic, Family::pixel_detector), name_of);

// |a - b| / |b| in L2 norm.
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(double{a[i]} - double{b[i]}, 2);
    norm += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / norm);
}

void expect_near(const std::vector<nn::NamedTensor>& ours, const std::vector<nn::NamedTensor>& theirs, double bound) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_LE(relative_error(ours[i].values, theirs[i].values), bound) << ours[i].name;
  }
}

void expect_same_bits(const std::vector<nn::NamedTensor>& ours, const std::vector<nn::NamedTensor>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_EQ(ours[i].values, theirs[i].values) << ours[i].name;
}

TEST_P(DeviceStepOf, MatchesTheCpus) {
  SmallTraining ours(config(cuda));
  SmallTraining theirs(config(cpu));
  const data::Batch batch = drawn_batch(2, 1);
  const double loss = theirs.run(batch);
  EXPECT_NEAR(ours.run(batch), loss, 1e-5 * loss);
  expect_near(ours.gradients(), theirs.gradients(), 1e-4);
  expect_near(ours.parameters(), theirs.parameters(), 1e-4);
}

// A step on an image that is not finite changes nothing once its statistics are undone, be it queued, recorded or
// replayed.
TEST_P(DeviceStepOf, ABadStepLeavesNoTrace) {
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    SmallTraining training(config({DeviceKind::cuda, precision}));
    data::Batch wild = drawn_batch(2, 9);
    reinterpret_cast<float*>(wild.pixels.data())[7] = std::numeric_limits<float>::infinity();
    for (int time = 0; time < 3; ++time) {
      const auto before = training.parameters();
      static_cast<void>(training.run(wild));
      EXPECT_FALSE(training.optimizer().finite());
      EXPECT_EQ(training.step().not_finite(), "the images");
      training.step().undo_statistics();
      expect_same_bits(training.parameters(), before);
      EXPECT_TRUE(std::isfinite(training.run(drawn_batch(2, 10))));
      EXPECT_TRUE(training.optimizer().finite());
    }
  }
}

// Images that are finite, but no convolution of them is.
TEST_P(DeviceStepOf, ABadStepNamesItsLayer) {
  for (const DeviceSettings& device :
       {cpu, cuda, DeviceSettings{.kind = DeviceKind::cuda, .precision = Precision::bf16}}) {
    SmallTraining training(config(device));
    data::Batch wild = drawn_batch(2, 9);
    std::fill_n(reinterpret_cast<float*>(wild.pixels.data()), wild.pixels.size() / sizeof(float), 3e38F);
    static_cast<void>(training.run(wild));
    EXPECT_FALSE(training.optimizer().finite());
    const char* first = GetParam() == Family::classic ? "the output of enc0." : "the output of stem";
    EXPECT_TRUE(training.step().not_finite().starts_with(first)) << training.step().not_finite();
  }
}

// Batches of two sizes, so that each is queued, recorded and replayed, and the arena's slab grows once in between: the
// first size is recorded anew then.
constexpr int sizes[] = {1, 1, 2, 2, 1, 2};

// Losses of steps on such batches.
std::vector<double> run_sizes(SmallTraining& training) {
  std::vector<double> losses;
  std::uint64_t seed = 0;
  for (const int images : sizes) losses.push_back(training.run(drawn_batch(images, ++seed)));
  return losses;
}

TEST_P(DeviceStepOf, ReplaysTheSameBits) {
  Config replayed = config(cuda);
  Config queued = replayed;
  queued.train.cuda_graph = false;
  SmallTraining ours(replayed);
  SmallTraining theirs(queued);
  EXPECT_EQ(run_sizes(ours), run_sizes(theirs));
  expect_same_bits(ours.parameters(), theirs.parameters());
  EXPECT_EQ(ours.step().graph_refusal(), "");
  EXPECT_EQ(ours.step().replays(), 4);
  EXPECT_EQ(theirs.step().replays(), 0);
}

TEST_F(DeviceStep, AccumulatedPartsAreReplayedToo) {
  Config replayed = tests::device_config(Family::classic, cuda);
  replayed.train.accumulate = 2;
  Config queued = replayed;
  queued.train.cuda_graph = false;
  SmallTraining ours(replayed);
  SmallTraining theirs(queued);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const data::Batch batch = drawn_batch(2, seed);
    EXPECT_EQ(ours.run(batch), theirs.run(batch));
  }
  EXPECT_EQ(ours.step().replays(), 2);
  expect_same_bits(ours.parameters(), theirs.parameters());
}

TEST_P(DeviceStepOf, CopiesAheadChangeNothing) {
  SmallTraining ours(config(cuda));
  SmallTraining theirs(config(cuda));
  std::vector<double> losses;
  std::uint64_t seed = 0;
  ours.put(drawn_batch(sizes[0], ++seed));
  for (std::size_t i = 0; i < std::size(sizes); ++i) {
    if (i + 1 < std::size(sizes)) ours.put(drawn_batch(sizes[i + 1], ++seed));
    losses.push_back(ours.start_and_finish());
  }
  EXPECT_EQ(losses, run_sizes(theirs));
  expect_same_bits(ours.parameters(), theirs.parameters());
}

// As a shard holds them: bytes, to be normalised and turned; with `around` more pixels on each side.
data::Batch stored_batch(std::uint64_t seed, int around = 0) {
  data::Batch batch = data::random_batch(2, tests::device_edge + 2 * around, tests::device_bands, seed);
  batch.dtype = DType::u8;
  batch.mean = {10, 20, 30};
  batch.std = {7, 8, 9};
  batch.samples[0].transpose = true;
  batch.samples[0].flip_rows = true;
  batch.samples[1].flip_columns = true;
  for (data::Sample& sample : batch.samples) {
    sample.window = {around, around, tests::device_edge, tests::device_edge};
    sample.read = {0, 0, batch.height, batch.width};
  }
  batch.pixels.resize(batch.pixel_bytes());
  return batch;
}

// The images and labels that steps read, of two batches behind another.
struct Prepared {
  std::vector<std::vector<float>> pixels;
  std::vector<std::vector<std::uint8_t>> labels;
  bool operator==(const Prepared&) const = default;
};

Prepared prepared(const DeviceSettings& device, const std::function<data::Batch(std::uint64_t seed)>& batch) {
  const nn::Shape shape{2, tests::device_edge, tests::device_edge, tests::device_bands};
  kernels::Stream stream = make_stream(device, 2);
  StepInput input(stream, shape, 1, batch(1), DType::f32);
  Prepared result;
  input.put(batch(1));
  for (const std::uint64_t seed : {2, 3}) {
    input.put(batch(seed));
    EXPECT_EQ(input.take(), 2);
    result.pixels.push_back(nn::download(input.images(0, 2), stream));
    const std::size_t count = shape.count() / tests::device_bands;
    std::visit(
        [&](auto& concrete) {
          kernels::download(result.labels.emplace_back(count).data(), input.labels(0), count, concrete);
        },
        stream);
  }
  return result;
}

TEST_F(DeviceStep, StoredBatchesBecomeTheSameBitsOnEitherDevice) {
  const auto plain = [](std::uint64_t seed) { return stored_batch(seed); };
  const Prepared ours = prepared(cuda, plain);
  EXPECT_EQ(prepared(cpu, plain), ours);
  EXPECT_NE(ours.pixels[0], ours.pixels[1]);
  const data::Batch first = stored_batch(1);
  // The second image of the first batch is mirrored only.
  const std::size_t image = ours.pixels[0].size() / 2;
  const auto raw = static_cast<float>(first.pixels[image + (tests::device_edge - 1) * tests::device_bands]);
  EXPECT_EQ(ours.pixels[0][image], (raw - 10) / 7);
  // What was read around a crop is left away.
  const auto wider = [](std::uint64_t seed) { return stored_batch(seed, 3); };
  EXPECT_EQ(prepared(cpu, wider), prepared(cuda, wider));
}

TEST_F(DeviceStep, AugmentedBatchesBecomeTheSameOnEitherDevice) {
  data::AugmentSettings settings{
      .scale = 0.2, .angle = 90, .elastic = 2, .brightness = 1, .contrast = 0.5, .cut_out = 0.5, .drop_bands = 0.2};
  const auto augmented = [&](std::uint64_t seed) {
    data::Batch batch = stored_batch(seed, 5);
    batch.samples[1].slot = 1;
    batch.augmentation = data::draw_augmentation(settings, seed, batch.samples, batch.bands);
    return batch;
  };
  const Prepared ours = prepared(cuda, augmented);
  EXPECT_EQ(prepared(cpu, augmented), ours);
  EXPECT_NE(ours, prepared(cuda, [](std::uint64_t seed) { return stored_batch(seed, 5); }));
  settings.noise = 0.5;
  const Prepared noisy = prepared(cuda, augmented);
  const Prepared theirs = prepared(cpu, augmented);
  EXPECT_NE(noisy.pixels, ours.pixels);
  EXPECT_EQ(noisy.labels, theirs.labels);
  for (std::size_t batch = 0; batch < 2; ++batch) {
    for (std::size_t i = 0; i < noisy.pixels[batch].size(); ++i)
      ASSERT_NEAR(noisy.pixels[batch][i], theirs.pixels[batch][i], 1e-4);
  }
}

TEST_F(DeviceStep, BatchesOfAnotherKindAreRefused) {
  kernels::Stream stream = make_stream(cpu, 1);
  const nn::Shape shape{2, tests::device_edge, tests::device_edge, tests::device_bands};
  StepInput input(stream, shape, 1, stored_batch(1), DType::f32);
  EXPECT_THROW(input.put(stored_batch(1, 2)), std::logic_error);
  data::Batch augmented = stored_batch(1);
  augmented.augmentation = data::draw_augmentation({.noise = 1}, 1, augmented.samples, augmented.bands);
  EXPECT_THROW(input.put(augmented), std::logic_error);
  const nn::Shape larger{2, tests::device_edge + 1, tests::device_edge, tests::device_bands};
  StepInput beyond(stream, larger, 1, stored_batch(1), DType::f32);
  EXPECT_THROW(beyond.put(stored_batch(1)), std::logic_error);
}

}  // namespace
}  // namespace plume::unet
