// Models written for SageMaker: the archive unpacks to a model that predicts the same, and is the same every time.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "../scratch_folder.hpp"
#include "data/images/npy.hpp"
#include "nn/optimizer.hpp"
#include "nn/safetensors.hpp"
#include "program.hpp"
#include "trained_network.hpp"
#include "unet/archive.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/sha256.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// FIPS 180-4's own examples, and every length around a block against the system's program.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(unet::sha256(bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(unet::sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const ScratchFolder folder;
  std::vector<std::string> command{"sha256sum"};
  std::vector<std::string> texts;
  for (std::size_t length = 0; length < 200; length += length < 50 || length > 130 ? 13 : 1) {
    texts.emplace_back(length, static_cast<char>('a' + length % 26));
    const auto path = folder / std::to_string(length);
    write_file(path, texts.back());
    command.push_back(path.string());
  }
  const Outcome outcome = run_command(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  std::istringstream lines(outcome.output);
  for (const std::string& text : texts) {
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(unet::sha256(bytes_of(text)), line.substr(0, 64)) << text.size();
  }
}

TEST(Archive, HoldsFilesOfAnySizeForTar) {
  const ScratchFolder folder;
  const std::vector<std::pair<std::string, std::string>> files{
      {"c", std::string(1, 'x')}, {"a", ""}, {"b", std::string(512, 'y')}, {"d", std::string(100'000, 'z')}};
  std::vector<unet::ArchivedFile> archived(files.size());
  std::transform(files.begin(), files.end(), archived.begin(), [](const auto& file) {
    return unet::ArchivedFile{file.first, bytes_of(file.second)};
  });
  const auto archive = unet::make_tar_gz(archived);
  write_file(folder / "a.tar.gz", {reinterpret_cast<const char*>(archive.data()), archive.size()});
  fs::create_directory(folder / "out");
  const Outcome unpacked =
      run_command({"tar", "-xvzf", (folder / "a.tar.gz").string(), "-C", (folder / "out").string()});
  ASSERT_EQ(unpacked.exit_code, 0) << unpacked.errors;
  EXPECT_EQ(unpacked.output, "a\nb\nc\nd\n");
  for (const auto& [name, text] : files) EXPECT_EQ(read_file(folder / "out" / name), text);
}

class ExportTest : public testing::Test {
 protected:
  void SetUp() override {
    unet::save_model(file("model.safetensors"), network_, {}, "[data]\nshard = '/home/someone/tiles.h5'\n");
    const auto values = random_values(std::size_t{16} * 24 * 3, 5);
    data::write_npy(file("image.npy"), std::vector<std::int64_t>{16, 24, 3},
                    std::vector<float>(values.begin(), values.end()));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] Outcome run_export(const std::string& model, const std::string& output,
                                   const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments{"export", "sagemaker", file(model), "-o", file(output)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_plume(arguments);
  }
  void unpack(const std::string& archive, const std::string& folder) const {
    fs::create_directory(file(folder));
    ASSERT_EQ(run_command({"tar", "-xzf", file(archive), "-C", file(folder)}).exit_code, 0);
  }
  [[nodiscard]] Outcome infer(const std::string& model, const std::string& output,
                              const std::vector<std::string>& options = {}) const {
    std::vector<std::string> command{PLUME_INFER_PROGRAM, "predict", file(model),
                                     file("image.npy"),   "-o",      file(output)};
    command.insert(command.end(), options.begin(), options.end());
    return run_command(command);
  }

  ScratchFolder folder_;
  unet::Network network_ = trained_network(unet::build_graph({unet::Family::classic, 3, 1, 4, 2}));
};

TEST_F(ExportTest, UnpacksToTheModelAndWhatItSaysOfIt) {
  ASSERT_EQ(run_export("model.safetensors", "model.tar.gz", {"--name", "smoke", "--threshold", "0.3"}).exit_code, 0);
  const Outcome listed = run_command({"tar", "-tvzf", file("model.tar.gz"), "--utc", "--numeric-owner"});
  EXPECT_EQ(std::count(listed.output.begin(), listed.output.end(), '\n'), 2) << listed.output;
  for (const char* part : {"-rw-r--r-- 0/0", "1970-01-01 00:00 model.json\n", "1970-01-01 00:00 model.safetensors\n"})
    EXPECT_NE(listed.output.find(part), std::string::npos) << listed.output;
  unpack("model.tar.gz", "unpacked");

  const auto description = nlohmann::json::parse(read_file(file("unpacked/model.json")));
  const std::string weights = read_file(file("unpacked/model.safetensors"));
  EXPECT_EQ(description, (nlohmann::json{{"name", "smoke"},
                                         {"sha256", unet::sha256(bytes_of(weights))},
                                         {"bands", 3},
                                         {"classes", 1},
                                         {"size_multiple", 4},
                                         {"threshold", 0.3}}));
  EXPECT_EQ(weights.find("/home/someone"), std::string::npos) << "the training's configuration went along";

  ASSERT_EQ(infer("model.safetensors", "before.npy").exit_code, 0);
  ASSERT_EQ(infer("unpacked", "after.npy").exit_code, 0);
  EXPECT_EQ(read_file(file("before.npy")), read_file(file("after.npy")));
}

TEST_F(ExportTest, IsTheSameEveryTime) {
  ASSERT_EQ(run_export("model.safetensors", "first.tar.gz").exit_code, 0);
  fs::last_write_time(file("model.safetensors"), fs::file_time_type::clock::now() - std::chrono::hours(1000));
  fs::create_directory(file("elsewhere"));
  fs::rename(file("model.safetensors"), file("elsewhere/model.safetensors"));
  ASSERT_EQ(run_export("elsewhere/model.safetensors", "second.tar.gz").exit_code, 0);
  EXPECT_EQ(read_file(file("first.tar.gz")), read_file(file("second.tar.gz")));
  ASSERT_EQ(run_export("elsewhere/model.safetensors", "other.tar.gz", {"--threshold", "0.4"}).exit_code, 0);
  EXPECT_NE(read_file(file("first.tar.gz")), read_file(file("other.tar.gz")));
}

TEST_F(ExportTest, LeavesATrainingsStateBehind) {
  unet::Network network(network_.graph());
  unet::copy_parameters(network, network_);
  const nn::Optimizer optimizer(nn::OptimizerSettings{}, network.parameters());
  unet::save_training(file("last.safetensors"), network, optimizer, {}, "");
  ASSERT_EQ(run_export("model.safetensors", "model.tar.gz", {"--name", "x"}).exit_code, 0);
  ASSERT_EQ(run_export("last.safetensors", "last.tar.gz", {"--name", "x"}).exit_code, 0);
  EXPECT_EQ(read_file(file("model.tar.gz")), read_file(file("last.tar.gz")));
}

TEST_F(ExportTest, KeepsRangesForInt8) {
  const unet::Ranges ranges{{"enc0.conv1", {{0, 1, 0.5F}}}};
  unet::save_with_ranges(file("int8.safetensors"), file("model.safetensors"), ranges);
  ASSERT_EQ(run_export("int8.safetensors", "model.tar.gz").exit_code, 0);
  unpack("model.tar.gz", "unpacked");
  EXPECT_EQ(unet::load_ranges(file("unpacked/model.safetensors")), ranges);
}

TEST_F(ExportTest, TheFoldersThresholdIsTheDefault) {
  ASSERT_EQ(run_export("model.safetensors", "model.tar.gz", {"--threshold", "1"}).exit_code, 0);
  unpack("model.tar.gz", "unpacked");
  const Outcome none = infer("unpacked", "m.png");
  EXPECT_NE(none.output.find("0.00 % smoke"), std::string::npos) << none.output;
  const Outcome all = infer("unpacked", "m.png", {"--threshold", "0"});
  EXPECT_NE(all.output.find("100.00 % smoke"), std::string::npos) << all.output;
}

TEST_F(ExportTest, MistakesAreOneLine) {
  expect_failed(run_export("none.safetensors", "model.tar.gz"), 3, {"none.safetensors"});
  expect_failed(run_export("model.safetensors", "nowhere/model.tar.gz"), 4, {"nowhere"});
  const std::string model = read_file(file("model.safetensors"));
  write_file(file("cut.safetensors"), model.substr(0, model.size() - 1));
  expect_failed(run_export("cut.safetensors", "model.tar.gz"), 3, {"cut.safetensors"});
  nn::save_safetensors(file("weights.safetensors"), {}, {});
  expect_failed(run_export("weights.safetensors", "model.tar.gz"), 3, {"weights.safetensors", "plume.graph"});
  EXPECT_FALSE(fs::exists(file("model.tar.gz")));

  fs::create_directory(file("folder"));
  expect_failed(infer("folder", "m.png"), 3, {"folder", "no .safetensors"});
  write_file(file("folder/a.safetensors"), model);
  write_file(file("folder/model.json"), "[]");
  expect_failed(infer("folder", "m.png"), 3, {"model.json", "no JSON object"});
  for (const char* threshold : {"1.5", "\"0.5\"", "null"}) {
    write_file(file("folder/model.json"), std::string("{\"threshold\": ") + threshold + "}");
    expect_failed(infer("folder", "m.png"), 3, {"model.json", threshold});
  }
  write_file(file("folder/model.json"), "{}");
  EXPECT_EQ(infer("folder", "m.png").exit_code, 0);
  write_file(file("folder/b.safetensors"), model);
  expect_failed(infer("folder", "m.png"), 3, {"folder", "2 .safetensors"});
}

}  // namespace
}  // namespace plume::tests
