// AtomicFile leaves a whole file or none, whatever goes wrong.
#include "kernels/base/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"

namespace plume {
namespace {

using tests::expect_error;
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

// For its lifetime no file can grow past `bytes`; writing more fails with EFBIG instead of killing the process.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(AtomicFile, AppearsOnCommit) {
  const ScratchFolder folder;
  {
    AtomicFile file(folder / "a");
    file.write("whole");
    EXPECT_FALSE(exists(folder / "a"));
    file.commit();
  }
  EXPECT_EQ(read_file(folder / "a"), "whole");
  EXPECT_EQ(files_in(folder / ""), 1U);
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
