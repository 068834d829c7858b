#include "cloud/signing/percent.hpp"

#include <gtest/gtest.h>

namespace plume::cloud {
namespace {

TEST(Percent, EncodesAllButWhatIsUnreserved) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode(" +/=%&'()*!"), "%20%2B%2F%3D%25%26%27%28%29%2A%21");
  EXPECT_EQ(percent_encode("a/ä", Slashes::kept), "a/%C3%A4");
}

TEST(Percent, DecodesWhatItEncoded) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
}

TEST(Percent, LeavesWhatIsNoTriple) {
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz+%41"), "%zz+A");
}

TEST(Percent, RemovesDotsAsRfc3986) {
  EXPECT_EQ(without_dots(""), "/");
  EXPECT_EQ(without_dots("/"), "/");
  EXPECT_EQ(without_dots("/a/b/../c/./d"), "/a/c/d");
  EXPECT_EQ(without_dots("/.."), "/");
  EXPECT_EQ(without_dots("//a//"), "/a/");
  EXPECT_EQ(without_dots("/a/.."), "/");
  EXPECT_EQ(without_dots("/a/b/.."), "/a/");
}

}  // namespace
}  // namespace plume::cloud
