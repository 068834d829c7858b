// Keys of plans, which engines are admitted, and the file that remembers choices.
#include "kernels/cuda/cudnn/plan_cache.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

#include "../scratch_folder.hpp"
#include "kernels/cuda/cudnn/engine_filter.hpp"
#include "kernels/cuda/cudnn/plan_key.hpp"

namespace plume::tests {
namespace {

using namespace kernels::cuda;
using namespace kernels::cuda::cudnn;

PlanKey example() {
  return {.problem = {.direction = ConvDirection::forward,
                      .n = 16,
                      .h = 256,
                      .w = 128,
                      .c = 64,
                      .k = 32,
                      .geometry = {.kernel = 3, .stride = 1, .pad = {1, 1, 1, 1}},
                      .type = DType::bf16,
                      .bias = true,
                      .relu = true},
          .workspace_limit = 1000,
          .version = 91900,
          .architecture = 90};
}

// Keys that differ from the example in one thing each.
std::vector<PlanKey> neighbours() {
  std::vector<PlanKey> keys;
  const auto with = [&](auto&& change) {
    keys.push_back(example());
    change(keys.back());
  };
  with([](PlanKey& key) { key.problem.direction = ConvDirection::backward_data; });
  with([](PlanKey& key) { key.problem.direction = ConvDirection::backward_weight; });
  with([](PlanKey& key) { key.problem.n = 8; });
  with([](PlanKey& key) { key.problem.h = 128; });
  with([](PlanKey& key) { key.problem.w = 256; });
  with([](PlanKey& key) { key.problem.c = 32; });
  with([](PlanKey& key) { key.problem.k = 64; });
  with([](PlanKey& key) { key.problem.geometry.kernel = 5; });
  with([](PlanKey& key) { key.problem.geometry.stride = 2; });
  for (std::size_t side = 0; side < 4; ++side) with([&](PlanKey& key) { key.problem.geometry.pad[side] = 0; });
  with([](PlanKey& key) { key.problem.type = DType::f32; });
  with([](PlanKey& key) { key.problem.sum = true; });
  with([](PlanKey& key) { key.problem.bias = false; });
  with([](PlanKey& key) { key.problem.relu = false; });
  with([](PlanKey& key) { key.problem.bias_alignment = 4; });
  with([](PlanKey& key) { key.deterministic = false; });
  with([](PlanKey& key) { key.workspace_limit = 2000; });
  return keys;
}

TEST(PlanKey, TextTellsApartWhatDiffers) {
  std::unordered_set<std::string> texts{example().text()};
  for (const PlanKey& key : neighbours()) {
    EXPECT_NE(key, example()) << key.text();
    EXPECT_TRUE(texts.insert(key.text()).second) << key.text();
  }
  EXPECT_EQ(example(), example());
  EXPECT_EQ(PlanKeyHash{}(example()), PlanKeyHash{}(example()));
}

TEST(PlanKey, Tf32IsNotF32) {
  PlanKey f32 = example();
  f32.problem.type = DType::f32;
  PlanKey tf32 = f32;
  tf32.problem.tf32 = true;
  EXPECT_NE(f32.text(), tf32.text());
}

// Version and architecture name the file, not the text.
TEST(PlanKey, OtherDevicesAreOtherKeys) {
  PlanKey other = example();
  other.architecture = 80;
  EXPECT_NE(other, example());
  other = example();
  other.version = 92000;
  EXPECT_NE(other, example());
}

TEST(EngineFilter, AdmitsByNotesAndWorkspace) {
  const PlanKey bf16 = example();
  EXPECT_TRUE(admissible({.tensor_core = true, .workspace = 1000}, bf16));
  EXPECT_FALSE(admissible({.workspace = 1001}, bf16));
  EXPECT_FALSE(admissible({.down_converts_inputs = true}, bf16));
  EXPECT_FALSE(admissible({.reduced_precision_reduction = true}, bf16));
  EXPECT_FALSE(admissible({.transforms = true}, bf16));
  EXPECT_FALSE(admissible({.nondeterministic = true}, bf16));
  PlanKey any_order = bf16;
  any_order.deterministic = false;
  EXPECT_TRUE(admissible({.nondeterministic = true}, any_order));
}

// Tensor cores multiply f32 as TF32: only where that was asked for.
TEST(EngineFilter, TensorCoresForF32OnlyAsTf32) {
  PlanKey key = example();
  key.problem.type = DType::f32;
  EXPECT_FALSE(admissible({.tensor_core = true}, key));
  EXPECT_TRUE(admissible({}, key));
  key.problem.tf32 = true;
  EXPECT_TRUE(admissible({.tensor_core = true}, key));
}

const PlanChoice choice{.engine = 11, .knobs = {{2, 34}, {14, -1}}, .milliseconds = 0.25};

TEST(PlanCache, RemembersAcrossProcesses) {
  const ScratchFolder folder;
  PlanCache(folder / "new/folder", 91900, 90).store("a key", choice);
  const PlanCache again(folder / "new/folder", 91900, 90);
  EXPECT_EQ(again.find("a key"), choice);
  EXPECT_EQ(again.find("another key"), std::nullopt);
  EXPECT_EQ(again.file().filename(), "cudnn-91900-sm90.json");
}

TEST(PlanCache, OneFilePerVersionAndArchitecture) {
  const ScratchFolder folder;
  PlanCache(folder / "plans", 91900, 90).store("a key", choice);
  EXPECT_EQ(PlanCache(folder / "plans", 91900, 80).find("a key"), std::nullopt);
  EXPECT_EQ(PlanCache(folder / "plans", 92000, 90).find("a key"), std::nullopt);
}

TEST(PlanCache, KeepsWhatOthersStoredMeanwhile) {
  const ScratchFolder folder;
  PlanCache first(folder / "plans", 91900, 90), second(folder / "plans", 91900, 90);
  first.store("first", choice);
  second.store("second", choice);
  const PlanCache all(folder / "plans", 91900, 90);
  EXPECT_EQ(all.find("first"), choice);
  EXPECT_EQ(all.find("second"), choice);
  EXPECT_EQ(second.find("first"), choice);
}

// Each process stores its own keys as fast as it can; none of them is lost.
TEST(PlanCache, ProcessesAtOneTime) {
  const ScratchFolder folder;
  constexpr int processes = 3, keys = 20;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child > 0) continue;
    PlanCache cache(folder / "plans", 91900, 90);
    for (int key = 0; key < keys; ++key) cache.store(fmt::format("{} {}", process, key), choice);
    ::_exit(0);
  }
  for (int process = 0; process < processes; ++process) {
    int status = 0;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  const PlanCache all(folder / "plans", 91900, 90);
  for (int process = 0; process < processes; ++process) {
    for (int key = 0; key < keys; ++key) EXPECT_EQ(all.find(fmt::format("{} {}", process, key)), choice);
  }
}

TEST(PlanCache, DamagedFilesAreReplaced) {
  const ScratchFolder folder;
  const auto file = folder / "plans/cudnn-91900-sm90.json";
  PlanCache(folder / "plans", 91900, 90).store("a key", choice);
  const std::string good = read_file(file);
  const std::string foreign = R"({"format": "plume plans 1", "cudnn": 90000, "architecture": 90, "plans": {}})";
  const std::string untyped =
      R"({"format": "plume plans 1", "cudnn": 91900, "architecture": 90, "plans": {"a key": {"engine": "x"}}})";
  for (const std::string& text : {std::string(), good.substr(0, good.size() / 2), std::string("[1, 2]"),
                                  std::string("{\"plans\": 3}"), std::string(100, '\0'), foreign, untyped}) {
    write_file(file, text);
    testing::internal::CaptureStderr();
    PlanCache cache(folder / "plans", 91900, 90);
    const std::string notes = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 1) << notes;
    EXPECT_NE(notes.find(file.string()), std::string::npos) << notes;
    EXPECT_EQ(cache.find("a key"), std::nullopt);
    testing::internal::CaptureStderr();
    cache.store("a key", choice);
    static_cast<void>(testing::internal::GetCapturedStderr());
    EXPECT_EQ(PlanCache(folder / "plans", 91900, 90).find("a key"), choice);
  }
}

// A folder that cannot be made: plans are kept in memory, and one line says so.
TEST(PlanCache, UnwritableFolders) {
  const ScratchFolder folder;
  write_file(folder / "file", "in the way");
  PlanCache cache(folder / "file/plume", 91900, 90);
  testing::internal::CaptureStderr();
  cache.store("a key", choice);
  cache.store("another key", choice);
  const std::string notes = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 1) << notes;
  EXPECT_EQ(cache.find("a key"), choice);
  EXPECT_EQ(cache.find("another key"), choice);
}

TEST(PlanCache, WithoutAFolderInMemoryAlone) {
  PlanCache cache(std::nullopt, 91900, 90);
  cache.store("a key", choice);
  EXPECT_EQ(cache.find("a key"), choice);
  EXPECT_TRUE(cache.file().empty());
}

// Sets a variable, and gives it its old value back.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(PlanCache, FolderByTheEnvironment) {
  const Variable home("HOME", "/home/someone"), no_cache("XDG_CACHE_HOME", nullptr),
      no_wish("PLUME_PLAN_CACHE", nullptr);
  EXPECT_EQ(plan_cache_folder(), "/home/someone/.cache/plume");
  const Variable cache("XDG_CACHE_HOME", "/caches");
  EXPECT_EQ(plan_cache_folder(), "/caches/plume");
  const Variable wish("PLUME_PLAN_CACHE", "/plans");
  EXPECT_EQ(plan_cache_folder(), "/plans");
  const Variable off("PLUME_PLAN_CACHE", "off");
  EXPECT_EQ(plan_cache_folder(), std::nullopt);
}

}  // namespace
}  // namespace plume::tests
