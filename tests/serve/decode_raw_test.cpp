// Numbers whose shape and type stand in headers.
#include "unet/serve/decode_raw.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "expect_refused.hpp"

namespace plume::serve {
namespace {

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(DecodeRaw, TakesFourTypes) {
  const std::vector<float> expected{0, 1, 2, 250, 4, 5};
  EXPECT_EQ(decode_raw(bytes_of(std::vector<float>{0, 1, 2, 250, 4, 5}), "1,1,3,2", "f4", {}).pixels, expected);
  EXPECT_EQ(decode_raw(bytes_of(std::vector<double>{0, 1, 2, 250, 4, 5}), "1,3,2", "f8", {}).pixels, expected);
  EXPECT_EQ(decode_raw(bytes_of(std::vector<std::uint8_t>{0, 1, 2, 250, 4, 5}), "1x3x2", "u1", {}).pixels, expected);
  const ImageBatch batch = decode_raw(bytes_of(std::vector<std::uint16_t>{0, 1, 2, 250, 4, 5}), "3, 1, 1, 2", "u2", {});
  EXPECT_EQ(batch.pixels, expected);
  EXPECT_EQ(batch.images, 3);
  EXPECT_EQ(batch.bands, 2);
}

TEST(DecodeRaw, RefusesOtherShapesAndTypes) {
  const auto refused = [](Status status, std::string_view part, std::string_view shape, std::string_view dtype) {
    expect_refused(status, part, [&] { static_cast<void>(decode_raw("12345678", shape, dtype, {})); });
  };
  refused(Status::bad_request, "X-Plume-Shape", "", "f4");
  for (const char* shape : {"a", "1,", ",1", "1,,1", "1.5,1,1", "-1,1,1", "1 1 1", "99999999999999999999,1,1"}) {
    refused(Status::bad_request, "is no shape", shape, "f4");
  }
  refused(Status::bad_request, "is no type", "1,1,2", "i4");
  refused(Status::bad_request, "ask for 12", "1,1,3", "f4");
  refused(Status::bad_request, "ask for 4", "1,1,1", "f4");
  refused(Status::unprocessable_content, "empty", "1,0,2", "f4");
  refused(Status::unprocessable_content, "shape [8]", "8", "u1");
  refused(Status::unprocessable_content, "shape", "1,1,1,1,8", "u1");
}

TEST(DecodeRaw, HugeClaimsAreRefusedWithoutMemoryForThem) {
  for (const char* shape :
       {"2147483647,2147483647,2147483647,2147483647", "1,1000000,1000000,6", "9223372036854775807,1,1"}) {
    expect_refused(Status::content_too_large, "at most",
                   [&] { static_cast<void>(decode_raw("1234", shape, "f4", {})); });
  }
}

}  // namespace
}  // namespace plume::serve
