// The prefetching loader: the same batches for any number of threads, from any place, with memory that goes round.
#include "data/loading/loader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "../spoil_label.hpp"
#include "kernels/input.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

using data::Batch;
using data::Sampling;

class Loader : public ::testing::Test {
 protected:
  void SetUp() override {
    write_shard(folder_ / "pack.h5", 11);
    shard_ = std::make_unique<data::Shard>(folder_ / "pack.h5");
  }

  std::unique_ptr<data::Loader> loader(const Sampling& sampling, int threads = 2, int depth = 3) const {
    return std::make_unique<data::Loader>(*shard_, sampling, shard_->info().mean, shard_->info().std, threads, depth);
  }

  static void expect_same(const Batch& a, const Batch& b) {
    EXPECT_EQ(a.epoch, b.epoch);
    EXPECT_EQ(a.index, b.index);
    EXPECT_EQ(a.images, b.images);
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_EQ(a.pixels, b.pixels);
    EXPECT_EQ(a.labels, b.labels);
  }

  ScratchFolder folder_;
  std::unique_ptr<data::Shard> shard_;
  const Sampling varied_{.batch = 4, .crop = 10, .flip = true, .rotate = true, .class_share = 0.5F, .seed = 5};
};

TEST_F(Loader, ThreadsAndDepthChangeNothing) {
  const auto one = loader(varied_, 1, 1);
  const auto few = loader(varied_, 2, 3);
  const auto many = loader(varied_, 8, 5);
  for (int i = 0; i < 20; ++i) {
    const auto expected = one->next();
    auto batch = few->next();
    expect_same(expected, batch);
    few->recycle(std::move(batch));
    batch = many->next();
    expect_same(expected, batch);
    many->recycle(std::move(batch));
  }
}

TEST_F(Loader, SeekGivesWhatReadingOnGives) {
  const auto straight = loader(varied_);
  std::vector<Batch> expected;
  for (int i = 0; i < 15; ++i) expected.push_back(straight->next());
  const auto jumping = loader(varied_, 3, 4);
  const auto steps = jumping->steps_per_epoch();
  ASSERT_EQ(steps, 3);
  for (const int place : {7, 0, 14, 3, 3, 12}) {
    jumping->seek(place / steps, place % steps);
    for (int i = place; i < std::min(place + 3, 15); ++i)
      expect_same(expected[static_cast<std::size_t>(i)], jumping->next());
  }
  expect_error(ErrorKind::usage, [&] { jumping->seek(0, 3); });
  expect_error(ErrorKind::usage, [&] { jumping->seek(-1, 0); });
}

TEST_F(Loader, EpochsRunOnWithAShortLastBatch) {
  const auto whole = loader({.batch = 4});
  std::vector<int> sizes;
  for (int i = 0; i < 6; ++i) {
    const auto batch = whole->next();
    EXPECT_EQ(batch.epoch, i / 3);
    EXPECT_EQ(batch.index, i % 3);
    EXPECT_EQ(batch.height, 24);
    EXPECT_EQ(batch.pixels.size(), static_cast<std::size_t>(batch.images) * 24 * 24 * 3);
    sizes.push_back(batch.images);
  }
  EXPECT_EQ(sizes, (std::vector{4, 4, 3, 4, 4, 3}));
}

TEST_F(Loader, ARankWithoutAShareGetsAnEmptyBatch) {
  const auto rank = loader({.batch = 10, .rank = 0, .world = 2});
  EXPECT_EQ(rank->next().images, 5);
  const auto last = rank->next();  // one image left, which is rank 1's
  EXPECT_EQ(last.images, 0);
  EXPECT_TRUE(last.pixels.empty());
}

TEST_F(Loader, CropsAreAsStored) {
  const auto batch = loader(varied_)->next();
  EXPECT_EQ(batch.samples, data::Sampler(*shard_, varied_).samples(0, 0));
  EXPECT_EQ(batch.dtype, DType::u8);
  EXPECT_EQ(batch.mean, shard_->info().mean);
  for (std::size_t image = 0; image < batch.samples.size(); ++image) {
    const auto& sample = batch.samples[image];
    for (int row = 0; row < 10; ++row) {
      for (int column = 0; column < 10; ++column) {
        const auto from = static_cast<std::size_t>((sample.window.row + row) * 24 + sample.window.column + column);
        const auto to = image * 100 + static_cast<std::size_t>(row * 10 + column);
        ASSERT_EQ(batch.labels[to], shard_->labels(sample.tile)[from]);
        for (std::size_t band = 0; band < 3; ++band)
          ASSERT_EQ(batch.pixels[to * 3 + band], shard_->image(sample.tile)[from * 3 + band]);
      }
    }
  }
}

// Every pixel of a mosaic is one of four tiles' at the same place; all four meet where the sample says.
TEST_F(Loader, MosaicsVaryWhereEverySlotIsOfAClass) {
  Sampling sampling = varied_;
  sampling.class_share = 1;
  sampling.batch = 1;
  sampling.augment.mosaic = 1;
  const auto mosaics = loader(sampling);
  std::set<std::vector<int>> partners;
  for (int i = 0; i < 30; ++i) {
    const Batch batch = mosaics->next();
    const auto& tiles = batch.samples.front().mosaic->tiles;
    std::vector<int> others(tiles.begin(), tiles.end());
    std::sort(others.begin(), others.end());
    partners.insert(others);
  }
  EXPECT_GT(partners.size(), 3U);
}

TEST_F(Loader, MosaicsAreOfFourTilesAtTheirPlaces) {
  Sampling sampling = varied_;
  sampling.augment.mosaic = 0.5;
  const auto mosaics = loader(sampling);
  const auto plain = loader(varied_);
  std::set<std::size_t> own;
  int together = 0;
  for (int i = 0; i < 60; ++i) {
    const Batch batch = mosaics->next();
    const Batch before = plain->next();
    for (std::size_t image = 0; image < batch.samples.size(); ++image) {
      const data::Sample& sample = batch.samples[image];
      EXPECT_EQ(sample.tile, before.samples[image].tile);
      EXPECT_EQ(sample.window, before.samples[image].window);
      const data::Mosaic mosaic = sample.mosaic.value_or(data::Mosaic{{0, 0, 0, sample.tile}, 0, 0});
      if (sample.mosaic) {
        ++together;
        EXPECT_GE(std::min(mosaic.row, mosaic.column), 2);
        EXPECT_LE(std::max(mosaic.row, mosaic.column), 7);
        const auto at = std::find(mosaic.tiles.begin(), mosaic.tiles.end(), sample.tile);
        ASSERT_NE(at, mosaic.tiles.end());
        own.insert(static_cast<std::size_t>(at - mosaic.tiles.begin()));
      }
      for (int pixel = 0; pixel < 100; ++pixel) {
        const int row = pixel / 10;
        const int column = pixel % 10;
        const int tile = mosaic.tiles[(row < mosaic.row ? 0U : 2U) + (column < mosaic.column ? 0U : 1U)];
        const auto from = static_cast<std::size_t>((sample.window.row + row) * 24 + sample.window.column + column);
        const auto to = image * 100 + static_cast<std::size_t>(pixel);
        ASSERT_EQ(batch.labels[to], shard_->labels(tile)[from]);
        for (std::size_t band = 0; band < 3; ++band)
          ASSERT_EQ(batch.pixels[to * 3 + band], shard_->image(tile)[from * 3 + band]);
      }
    }
  }
  EXPECT_NEAR(together, 120, 40);  // five deviations of 240 draws
  EXPECT_EQ(own.size(), 4U);
}

// Training and evaluation must see the same pixels to the last bit.
TEST_F(Loader, KernelsMakeOfACropWhatTheShardReads) {
  const auto batch = loader(varied_)->next();
  std::vector<kernels::Placement> placements;
  for (const auto& sample : batch.samples)
    placements.push_back(
        {static_cast<int>(placements.size()), 0, 0, 10, 10, sample.transpose, sample.flip_rows, sample.flip_columns});
  kernels::CpuStream stream(1);
  std::vector<float> pixels(batch.pixels.size());
  const auto* stored = reinterpret_cast<const std::uint8_t*>(batch.pixels.data());
  kernels::prepare_images<float, std::uint8_t>({pixels.data(), 4, 10, 10, 3}, {stored, 4, 10, 10, 3}, placements.data(),
                                               {batch.mean.data(), batch.std.data()}, stream);
  std::vector<std::uint8_t> labels(batch.labels.size());
  kernels::prepare_labels({labels.data(), 4, 10, 10, 1}, {batch.labels.data(), 4, 10, 10, 1}, placements.data(),
                          stream);

  std::vector<float> read(300);
  for (std::size_t image = 0; image < batch.samples.size(); ++image) {
    const auto& sample = batch.samples[image];
    shard_->read(sample.tile, sample.window, batch.mean, batch.std, read.data());
    for (int row = 0; row < 10; ++row) {
      for (int column = 0; column < 10; ++column) {
        int from_row = sample.flip_rows ? 9 - row : row;
        int from_column = sample.flip_columns ? 9 - column : column;
        if (sample.transpose) std::swap(from_row, from_column);
        const auto from = static_cast<std::size_t>(from_row * 10 + from_column);
        const auto to = image * 100 + static_cast<std::size_t>(row * 10 + column);
        ASSERT_EQ(labels[to], batch.labels[image * 100 + from]);
        for (std::size_t band = 0; band < 3; ++band) ASSERT_EQ(pixels[to * 3 + band], read[from * 3 + band]);
      }
    }
  }
}

TEST_F(Loader, RecycledMemoryIsUsedAgain) {
  const auto single = loader({.batch = 4, .crop = 8}, 1, 1);
  std::vector<const std::byte*> seen;
  for (int i = 0; i < 12; ++i) {
    auto batch = single->next();
    seen.push_back(batch.pixels.data());
    single->recycle(std::move(batch));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_LE(std::unique(seen.begin(), seen.end()) - seen.begin(), 4);
}

TEST_F(Loader, StopsPromptlyWhereverItIs) {
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 20; ++round) {
    const auto made = loader(varied_, 4, 2);
    if (round % 2 == 1) (void)made->next();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(Loader, AWorkersErrorReachesNext) {
  std::filesystem::copy(shard_->path(), folder_ / "bad.h5");
  spoil_label(folder_ / "bad.h5", 9);  // in the third batch
  const data::Shard bad(folder_ / "bad.h5");
  data::Loader made(bad, {.batch = 4, .shuffle = false}, {}, {}, 2, 4);
  EXPECT_EQ(made.next().images, 4);
  EXPECT_EQ(made.next().images, 4);
  expect_input_error([&] { (void)made.next(); }, "t09", "label 77");
  expect_input_error([&] { (void)made.next(); }, "t09", "label 77");
  made.seek(0, 0);
  EXPECT_EQ(made.next().images, 4);
}

TEST_F(Loader, WrongOptionsAreRefused) {
  expect_error(ErrorKind::usage, [&] { (void)loader({}, 0, 1); });
  expect_error(ErrorKind::usage, [&] { (void)loader({}, 1, 0); });
  expect_error(ErrorKind::usage, [&] { const data::Loader made(*shard_, {}, {1, 2}, {}, 1, 1); });
}

}  // namespace
}  // namespace plume::tests
