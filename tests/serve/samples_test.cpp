// Images that the page offers: only those of the folder, whatever a path says.
#include "unet/serve/samples.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "expect_refused.hpp"
#include "kernels/base/error.hpp"
#include "scratch_folder.hpp"

namespace plume::serve {
namespace {

class SamplesTest : public testing::Test {
 protected:
  SamplesTest() {
    std::filesystem::create_directory(folder_ / "samples");
    for (const char* name : {"samples/a b.tif", "samples/c.npy", "samples/notes.txt", "secret.tif"}) {
      std::ofstream(folder_ / name) << name;
    }
  }
  tests::ScratchFolder folder_;
};

TEST_F(SamplesTest, AreTheFoldersImages) {
  const Samples samples(folder_ / "samples");
  EXPECT_EQ(samples.names(), (std::vector<std::string>{"a b.tif", "c.npy"}));
  const Samples::Sample sample = samples.read("a%20b.tif");
  EXPECT_EQ(sample.content, "samples/a b.tif");
  EXPECT_EQ(sample.content_type, "image/tiff");
  EXPECT_EQ(samples.read("c.npy").content_type, "application/x-npy");
}

TEST_F(SamplesTest, NothingElseCanBeRead) {
  const Samples samples(folder_ / "samples");
  for (const char* name :
       {"notes.txt", "../secret.tif", "..%2fsecret.tif", "%2e%2e/secret.tif", "", "%", "%zz", "c.np"}) {
    expect_refused(Status::not_found, "no such sample", [&] { static_cast<void>(samples.read(name)); });
  }
}

TEST_F(SamplesTest, AMissingFolderIsAnError) {
  EXPECT_THROW(Samples(folder_ / "nothing"), Error);
}

TEST_F(SamplesTest, AFileThatIsGoneIsNotFound) {
  const Samples samples(folder_ / "samples");
  std::filesystem::remove(folder_ / "samples/c.npy");
  expect_refused(Status::not_found, "no longer there", [&] { static_cast<void>(samples.read("c.npy")); });
}

}  // namespace
}  // namespace plume::serve
