// .npy files: what is written is read back, and nothing damaged gets through.
#include "data/images/npy.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"

namespace plume::tests {
namespace {

using data::read_npy;

std::string npy(const std::string& header, const std::string& body, char version = 1) {
  std::string text = std::string("\x93NUMPY") + version + '\0';
  text += static_cast<char>(header.size() & 0xFF);
  text += static_cast<char>(header.size() >> 8);
  if (version > 1) text += std::string(2, '\0');
  return text + header + body;
}

TEST(Npy, RoundTrip) {
  const ScratchFolder folder;
  std::vector<float> values(24);
  std::iota(values.begin(), values.end(), -3.5F);
  const std::vector<std::int64_t> shape{2, 3, 4};
  data::write_npy(folder / "a.npy", shape, std::span<const float>(values));
  const auto array = read_npy(folder / "a.npy");
  EXPECT_EQ(array.dtype, DType::f32);
  EXPECT_EQ(array.shape, shape);
  EXPECT_EQ(array.values, values);

  const std::vector<std::uint8_t> bytes{0, 1, 255};
  data::write_npy(folder / "b.npy", std::vector<std::int64_t>{3}, std::span<const std::uint8_t>(bytes));
  EXPECT_EQ(read_npy(folder / "b.npy").values, (std::vector<float>{0, 1, 255}));
  EXPECT_EQ(read_file(folder / "b.npy").find("\n") % 64, 63U);
}

TEST(Npy, EveryVersionAndType) {
  const ScratchFolder folder;
  for (const char version : {'\1', '\2', '\3'}) {
    write_file(folder / "v.npy",
               npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }", {"\xFF\xFF\2\0", 4}, version));
    EXPECT_EQ(read_npy(folder / "v.npy").values, (std::vector<float>{-1, 2}));
  }
  write_file(folder / "d.npy",
             npy("{\"shape\":(1,),\"fortran_order\":False,\"descr\":\"<f8\"}", {"\0\0\0\0\0\0\xF8\x3F", 8}));
  EXPECT_EQ(read_npy(folder / "d.npy").values, (std::vector<float>{1.5F}));
  write_file(folder / "s.npy", npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", {"\1", 1}));
  EXPECT_EQ(read_npy(folder / "s.npy").values, (std::vector<float>{1}));
}

TEST(Npy, BadFilesAreRefused) {
  const ScratchFolder folder;
  const auto refused = [&](const std::string& bytes, std::string_view reason) {
    write_file(folder / "bad.npy", bytes);
    expect_input_error([&] { (void)read_npy(folder / "bad.npy"); }, "bad.npy", reason);
  };
  const std::string good = "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }";
  refused("", "not a .npy");
  refused("random bytes that are no array at all", "not a .npy");
  refused(npy(good, "abc"), "truncated");
  refused(npy(good, "abcde"), "more or fewer");
  refused(npy(good, "abcd").substr(0, 30), "truncated");
  refused(npy(good, "abcd", 9), "version 9");
  refused(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2,2)}", "abcd"), "ascontiguousarray");
  refused(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "abcd"), ">f4");
  refused(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "abcd"), "|O");
  refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}", ""), "empty array");
  refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,4)}", "abcd"), "dimensions");
  refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}", "abcd"), "impossible");
  refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,1099511627776)}", "abcd"),
          "more or fewer");
  refused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-4,)}", "abcd"), "damaged header");
  refused(npy("{'descr': '|u1', 'shape': (4,)}", "abcd"), "lacks");
  refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "abcd"), "damaged header");
  refused(npy("{'descr': '|u1", "abcd"), "damaged header");
  refused(npy("", "abcd"), "damaged header");
}

TEST(Npy, TruncationAnywhereIsRefused) {
  const ScratchFolder folder;
  const std::vector<float> values(6, 1.0F);
  data::write_npy(folder / "a.npy", std::vector<std::int64_t>{2, 3}, std::span<const float>(values));
  const auto whole = read_file(folder / "a.npy");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(folder / "cut.npy", whole.substr(0, length));
    EXPECT_THROW((void)read_npy(folder / "cut.npy"), Error) << length;
  }
}

}  // namespace
}  // namespace plume::tests
