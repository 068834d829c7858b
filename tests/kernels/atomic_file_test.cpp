// AtomicFile leaves a whole file or none, whatever goes wrong.
#include "kernels/base/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "../small_disk.hpp"

namespace plume {
namespace {

using tests::expect_error;
using tests::FileSizeLimit;
using tests::read_file;
using tests::ScratchFolder;
using tests::write_file;

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

void save(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

TEST(AtomicFile, AppearsOnCommit) {
  for (const Durable durable : {Durable::yes, Durable::no}) {
    const ScratchFolder folder;
    {
      AtomicFile file(folder / "a");
      file.write("whole");
      EXPECT_FALSE(exists(folder / "a"));
      file.commit(durable);
    }
    EXPECT_EQ(read_file(folder / "a"), "whole");
    EXPECT_EQ(files_in(folder / ""), 1U);
  }
}

TEST(AtomicFile, ReplacesTheOldFile) {
  const ScratchFolder folder;
  write_file(folder / "a", "a longer old text");
  save(folder / "a", "new");
  EXPECT_EQ(read_file(folder / "a"), "new");
}

TEST(AtomicFile, LeavesNothingAfterAnException) {
  const ScratchFolder folder;
  write_file(folder / "a", "old");
  EXPECT_THROW(
      {
        AtomicFile file(folder / "a");
        file.write("half");
        throw std::runtime_error("interrupted");
      },
      std::runtime_error);
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(files_in(folder / ""), 1U);
}

TEST(AtomicFile, NamesTheFileAndTheReason) {
  const ScratchFolder folder;
  const auto path = folder / "absent/a";
  expect_error(
      ErrorKind::environment, [&] { AtomicFile file(path); }, path.string(), "No such file or directory");
}

TEST(AtomicFile, RefusesAFolderOfThatName) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "a");
  expect_error(
      ErrorKind::environment, [&] { save(folder / "a", "text"); }, (folder / "a").string());
  EXPECT_EQ(files_in(folder / ""), 1U);
}

TEST(AtomicFile, LeavesTheOldFileWhereTheLimitOnFilesIsReached) {
  const ScratchFolder folder;
  write_file(folder / "a", "old");
  const std::string big(100000, 'x');
  {
    const FileSizeLimit limit(65536);
    expect_error(
        ErrorKind::environment, [&] { save(folder / "a", big); }, (folder / "a").string(), "File too large");
  }
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(files_in(folder / ""), 1U);
}

// A process that has ended, and whose number is free.
pid_t ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return child;
}

TEST(AtomicFile, RemovesWhatAKilledWriterOfTheSameNameLeft) {
  const ScratchFolder folder;
  const auto dead = std::to_string(ended_process());
  const auto living = std::to_string(::getppid());
  const std::vector<std::string> kept{"a.tmp-" + living + "-0", "b.tmp-" + dead + "-0", "a.tmp-" + dead,
                                      "a.tmp-" + dead + "-x",   "a.tmp--1-0",           "xa.tmp-" + dead + "-0"};
  const std::vector<std::string> abandoned{"a.tmp-" + dead + "-0", "a.tmp-" + dead + "-17"};
  for (const auto& names : {kept, abandoned}) {
    for (const auto& name : names) write_file(folder / name, "half");
  }
  save(folder / "a", "whole");
  for (const auto& name : kept) EXPECT_TRUE(exists(folder / name)) << name;
  for (const auto& name : abandoned) EXPECT_FALSE(exists(folder / name)) << name;
  // The folder is not listed again, and yet the other file's turn comes.
  save(folder / "b", "whole");
  EXPECT_FALSE(exists(folder / ("b.tmp-" + dead + "-0")));
}

TEST(AtomicFile, WritesWhereAKilledWriterHadThisProcessesNumber) {
  const ScratchFolder folder;
  std::string next = AtomicFile(folder / "a").temporary().string();
  const auto dash = next.rfind('-') + 1;
  next.replace(dash, std::string::npos, std::to_string(std::stoul(next.substr(dash)) + 1));
  write_file(next, "half of an old file");
  save(folder / "a", "whole");
  EXPECT_EQ(read_file(folder / "a"), "whole");
  EXPECT_EQ(files_in(folder / ""), 1U);
}

// A file system of 64 KiB, mounted for the test's time.
class FullDisk : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(mount_point_);
    if (::mount("tmpfs", mount_point_.c_str(), "tmpfs", 0, "size=64k") != 0) {
      GTEST_SKIP() << "may not mount a small file system: " << std::strerror(errno);
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount(mount_point_.c_str());
  }

  ScratchFolder folder_;
  std::filesystem::path mount_point_ = folder_ / "disk";

 private:
  bool mounted_ = false;
};

TEST_F(FullDisk, LeavesTheOldFile) {
  const auto path = mount_point_ / "a";
  save(path, "old");
  const std::string big(100000, 'x');
  expect_error(
      ErrorKind::environment, [&] { save(path, big); }, path.string(), "No space left on device");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files_in(mount_point_), 1U);
}

}  // namespace
}  // namespace plume
