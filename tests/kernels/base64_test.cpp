#include "kernels/base/base64.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace plume {
namespace {

TEST(Base64, ReadsWhatItWrites) {
  // RFC 4648, section 10.
  for (const auto& [plain, coded] : {std::pair<std::string, std::string>{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64(plain), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_TRUE(base64(all).starts_with("AAECAwQFBgcICQoL")) << base64(all);
  EXPECT_EQ(from_base64(base64(all)), all);
  EXPECT_EQ(base64("\xFB\xFF"), "+/8=");
}

TEST(Base64, RefusesOtherText) {
  for (const char* const text : {"Zg=", "Z", "Z!==", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9", "Zm9-"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace plume
