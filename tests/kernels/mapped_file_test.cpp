// MappedFile shows a file's bytes, and refuses in one line what cannot be mapped.
#include "kernels/base/mapped_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"

namespace plume {
namespace {

using tests::expect_input_error;
using tests::ScratchFolder;
using tests::write_file;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFile, HoldsTheBytes) {
  const ScratchFolder folder;
  write_file(folder / "a", "some text");
  MappedFile file(folder / "a");
  EXPECT_EQ(text_of(file), "some text");
  MappedFile moved(std::move(file));
  write_file(folder / "b", "another");
  moved = MappedFile(folder / "b");
  EXPECT_EQ(text_of(moved), "another");
}

TEST(MappedFile, EmptyFile) {
  const ScratchFolder folder;
  write_file(folder / "a", "");
  EXPECT_TRUE(MappedFile(folder / "a").bytes().empty());
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  const ScratchFolder folder;
  expect_input_error([&] { const MappedFile file(folder / "none"); }, "none", "No such file or directory");
  expect_input_error([&] { const MappedFile file(folder / ""); }, "not a regular file");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_input_error([&] { const MappedFile file(folder / "pipe"); }, "pipe", "not a regular file");
}

}  // namespace
}  // namespace plume
