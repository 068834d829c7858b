// TensorBoard's files: their framing byte by byte, and what a real TensorBoard shows of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "../python.hpp"
#include "../scratch_folder.hpp"
#include "data/images/png.hpp"
#include "kernels/base/crc32c.hpp"
#include "program.hpp"
#include "small_training.hpp"
#include "unet/tensorboard/event_file.hpp"
#include "unet/tensorboard/tile_panels.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

fs::path only_file_in(const fs::path& folder) {
  const auto names = names_in(folder.string());
  EXPECT_EQ(names.size(), 1U);
  return folder / names.at(0);
}

std::uint32_t masked(std::string_view bytes) {
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(bytes)));
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

// The records' payloads; fails where a length or checksum is wrong.
std::vector<std::string> records_of(const std::string& file) {
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    std::uint64_t length = 0;
    std::uint32_t length_crc = 0;
    std::uint32_t crc = 0;
    std::memcpy(&length, file.data() + at, 8);
    std::memcpy(&length_crc, file.data() + at + 8, 4);
    EXPECT_EQ(length_crc, masked(file.substr(at, 8)));
    records.push_back(file.substr(at + 12, length));
    std::memcpy(&crc, file.data() + at + 12 + length, 4);
    EXPECT_EQ(crc, masked(records.back()));
    at += 16 + length;
  }
  return records;
}

TEST(EventFile, IsFramedAsTfRecords) {
  const ScratchFolder folder;
  unet::EventFile file(folder / "", 1);
  file.scalar(300, "loss", 0.5);
  const auto records = records_of(read_file(only_file_in(folder / "")));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_NE(records[0].find("\x1a\x0d"
                            "brain.Event:2"),
            std::string::npos);
  // Behind the time: step 300; a summary of a value with the tag "loss" and 0.5 as f32.
  const std::string expected("\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x3f", 18);
  ASSERT_EQ(records[2].size(), 9 + expected.size());
  EXPECT_EQ(records[2].substr(9), expected);
}

TEST(EventFile, ARealTensorBoardShowsIt) {
  if (!python_has("tensorboard", peers_python)) GTEST_SKIP() << "no tensorboard in " << peers_python;
  const ScratchFolder folder;
  {
    unet::EventFile first(folder / "", 1);
    for (int step = 1; step <= 5; ++step) first.scalar(step, "loss/train", 1.0 / step);
  }
  fs::rename(only_file_in(folder / ""), folder / "events.out.tfevents.1.earlier.1");
  unet::EventFile resumed(folder / "", 4);  // what was written of steps 4 and 5 counts no more
  for (int step = 4; step <= 6; ++step) resumed.scalar(step, "loss/train", 2.0 / step);
  const std::vector<std::uint8_t> pixels(std::size_t{8} * 6 * 3, 200);
  resumed.image(6, "tiles/first", 6, 8, data::encode_png({6, 8, 3}, pixels));

  const Outcome outcome =
      run_command({peers_python, "-B", PLUME_SOURCE_DIR "/tests/unet/tensorboard_peer.py", folder / ""});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto shown = nlohmann::json::parse(outcome.output);
  const auto& rows = shown.at("scalars").at("loss/train");
  ASSERT_EQ(rows.size(), 6U) << shown;
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(rows[i][0], i + 1);
    EXPECT_FLOAT_EQ(rows[i][1].get<float>(), (i < 3 ? 1.0F : 2.0F) / static_cast<float>(i + 1));
  }
  EXPECT_EQ(shown.at("images").at("tiles/first"), nlohmann::json::parse("[[6, 8, 6]]"));
}

TEST(TilePanels, AreShownTenTimesAtMostAndAtTheEnd) {
  for (const std::int64_t steps : {1, 8, 100, 1001, 4000}) {
    for (const std::int64_t every : {1, 3, 100, 5000}) {
      int validations = 0;
      int shown = 0;
      for (std::int64_t step = 1; step <= steps; ++step) {
        if (step % every != 0 && step != steps) continue;
        ++validations;
        shown += unet::shows_tiles(step, steps, every) ? 1 : 0;
      }
      EXPECT_EQ(shown, std::min(validations, 10)) << steps << " steps, a validation every " << every;
      EXPECT_TRUE(unet::shows_tiles(steps, steps, every));
    }
  }
}

TEST(TilePanels, ARealTensorBoardShowsThoseOfATraining) {
  if (!python_has("tensorboard", peers_python)) GTEST_SKIP() << "no tensorboard in " << peers_python;
  const ScratchFolder folder;
  const auto shard = small_shard(folder);
  write_file(folder / "config.toml", unet::to_toml(small_config(shard)));
  const Outcome trained = run_plume({"train", folder / "config.toml", "--quiet", "--out", folder / "run"});
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  const Outcome outcome =
      run_command({peers_python, "-B", PLUME_SOURCE_DIR "/tests/unet/tensorboard_peer.py", folder / "run"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto images = nlohmann::json::parse(outcome.output).at("images");
  const data::Shard tiles(shard);
  ASSERT_EQ(images.size(), tiles.tiles(data::Split::val).size()) << images;
  for (const int tile : tiles.tiles(data::Split::val)) {
    // Three of 128 pixels, side by side, after each of the two validations.
    EXPECT_EQ(images.at("validation/" + tiles.info().name[static_cast<std::size_t>(tile)]),
              nlohmann::json::parse("[[4, 392, 128], [8, 392, 128]]"));
  }
  const Outcome none =
      run_plume({"train", folder / "config.toml", "--set", "train.pictures=0", "--quiet", "--out", folder / "without"});
  ASSERT_EQ(none.exit_code, 0) << none.errors;
  const auto bytes_of_events = [&](const char* run) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder / run))
      if (entry.path().filename().string().starts_with("events")) bytes += entry.file_size();
    return bytes;
  };
  EXPECT_LT(bytes_of_events("without"), 10'000U);
  EXPECT_LT(bytes_of_events("run"), 1'500'000U);
}

}  // namespace
}  // namespace plume::tests
