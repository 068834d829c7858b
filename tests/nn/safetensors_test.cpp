// The safetensors reader refuses every damaged file and the writer's files come back as they were.
#include "nn/safetensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "kernels/base/float16.hpp"

namespace plume::nn {
namespace {

using tests::expect_error;
using tests::expect_input_error;
using tests::read_file;
using tests::ScratchFolder;
using tests::write_file;

std::string bytes_of(std::uint64_t value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return bytes_of(header.size()) + header + std::string(data_bytes, '\x01');
}

class SafetensorsTest : public testing::Test {
 protected:
  // Opening a file of these bytes must fail in one line that names the file and holds the reason.
  void expect_refused(const std::string& bytes, std::string_view reason) {
    write_file(path_, bytes);
    expect_input_error([&] { SafetensorsFile file(path_); }, path_.string(), reason);
  }
  void expect_header_refused(const std::string& header, std::string_view reason, std::size_t data_bytes = 16) {
    SCOPED_TRACE(header);
    expect_refused(file_of(header, data_bytes), reason);
  }

  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
};

TEST_F(SafetensorsTest, RoundTripKeepsNamesShapesBytesAndMetadata) {
  const std::vector<float> weight{1.0F, -2.5F, 0.0F, 3e-40F, std::numeric_limits<float>::infinity(), 7.0F};
  const std::vector<std::uint8_t> mask{1, 2, 3};
  const std::int64_t scalar = -5;
  const std::vector<TensorSource> sources{
      {"mask", DType::u8, {3}, std::as_bytes(std::span(mask))},
      {"empty", DType::f32, {0, 4}, {}},
      {"enc.weight \"\u00e9\"", DType::f32, {2, 3}, std::as_bytes(std::span(weight))},
      {"step", DType::i64, {}, std::as_bytes(std::span(&scalar, 1))}};
  save_safetensors(path_, {{"plume.graph", "{\"a\":\n1}"}, {"epoch", "3"}}, sources);

  const SafetensorsFile file(path_);
  EXPECT_EQ(file.metadata(), (Metadata{{"plume.graph", "{\"a\":\n1}"}, {"epoch", "3"}}));
  ASSERT_EQ(file.tensors().size(), sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const TensorInfo& tensor = file.tensors()[i];
    EXPECT_EQ(tensor.name, sources[i].name);
    EXPECT_EQ(tensor.dtype, sources[i].dtype);
    EXPECT_EQ(tensor.shape, sources[i].shape);
    ASSERT_EQ(file.bytes(tensor).size(), sources[i].bytes.size());
    EXPECT_TRUE(std::ranges::equal(file.bytes(tensor), sources[i].bytes));
  }
  EXPECT_EQ(file.floats("enc.weight \"\u00e9\""), weight);
  EXPECT_EQ(file.find("nothing"), nullptr);
  expect_input_error([&] { (void)file.floats("nothing"); }, path_.string(), "\"nothing\" is missing");
  expect_input_error([&] { (void)file.floats("step"); }, "I64");
}

TEST_F(SafetensorsTest, LayoutIsTheFormats) {
  const float value = 1.0F;
  save_safetensors(path_, {}, std::vector<TensorSource>{{"w", DType::f32, {1}, std::as_bytes(std::span(&value, 1))}});
  const std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(read_file(path_), bytes_of(padded.size()) + padded + std::string("\0\0\x80\x3F", 4));
}

TEST_F(SafetensorsTest, AFileWithoutTensorsIsValid) {
  save_safetensors(path_, {}, {});
  EXPECT_TRUE(SafetensorsFile(path_).tensors().empty());
  write_file(path_, file_of("{}", 0));
  EXPECT_TRUE(SafetensorsFile(path_).tensors().empty());
}

TEST_F(SafetensorsTest, TensorsComeInOrderOfOffset) {
  write_file(path_, file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},)"
                            R"("b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                            R"("c":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})",
                            6));
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.tensors()[0].name, "b");
  EXPECT_EQ(file.tensors()[1].name, "c");
  EXPECT_EQ(file.tensors()[2].name, "a");
}

TEST_F(SafetensorsTest, EveryFloatTypeIsWidened) {
  const std::vector<std::uint16_t> half{0x3C00, 0xC000, 0x0001, 0x8000, 0x7BFF, 0xFC00};
  const std::vector<std::uint16_t> brain{0x3F80, 0xC000};
  const std::vector<double> wide{0.5, -1e-3};
  save_safetensors(path_, {},
                   std::vector<TensorSource>{{"odd", DType::u8, {1}, std::as_bytes(std::span("x", 1))},
                                             {"half", DType::f16, {6}, std::as_bytes(std::span(half))},
                                             {"brain", DType::bf16, {2}, std::as_bytes(std::span(brain))},
                                             {"wide", DType::f64, {2}, std::as_bytes(std::span(wide))}});
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.floats("half"),
            (std::vector<float>{1.0F, -2.0F, 0x1p-24F, -0.0F, 65504.0F, -std::numeric_limits<float>::infinity()}));
  EXPECT_TRUE(std::signbit(file.floats("half")[3]));
  EXPECT_TRUE(std::isnan(float_from_f16(0x7E00)));
  EXPECT_EQ(file.floats("brain"), (std::vector<float>{1.0F, -2.0F}));
  EXPECT_EQ(file.floats("wide"), (std::vector<float>{0.5F, -1e-3F}));
}

TEST_F(SafetensorsTest, MissingFileAndFolderAreNamed) {
  expect_input_error([&] { SafetensorsFile file(path_); }, path_.string(), "No such file");
  std::filesystem::create_directory(path_);
  expect_input_error([&] { SafetensorsFile file(path_); }, path_.string(), "not a regular file");
}

TEST_F(SafetensorsTest, EveryTruncationIsRefused) {
  const std::vector<float> values(5, 1.0F);
  save_safetensors(path_, {{"k", "v"}},
                   std::vector<TensorSource>{{"w", DType::f32, {5}, std::as_bytes(std::span(values))}});
  const std::string whole = read_file(path_);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    expect_refused(whole.substr(0, length), "");
  }
  expect_refused(whole + "x", "20 of the 21 bytes");
}

TEST_F(SafetensorsTest, RandomBytesAreRefused) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 500; ++trial) {
    std::string bytes(random() % 200, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    SCOPED_TRACE(trial);
    expect_refused(bytes, "");
    // The same behind a plausible length, so that the JSON parser sees them.
    if (!bytes.empty()) expect_refused(bytes_of(bytes.size()) + "{" + bytes.substr(1), "");
  }
}

// Any single changed byte of the header gives a refusal or a file that is still consistent; never a crash.
TEST_F(SafetensorsTest, FlippedHeaderBytesNeverCrash) {
  const std::vector<float> values(6, 1.0F);
  const auto all = std::as_bytes(std::span(values));
  save_safetensors(
      path_, {{"k", "v"}},
      std::vector<TensorSource>{{"a", DType::f32, {2, 2}, all.first(16)}, {"b", DType::f32, {2}, all.last(8)}});
  const std::string whole = read_file(path_);
  for (std::size_t position = 0; position < whole.size() - all.size(); ++position) {
    for (const int flip : {0x01, 0x04, 0x10, 0x20, 0x80, 0xFF}) {
      std::string bytes = whole;
      bytes[position] = static_cast<char>(bytes[position] ^ flip);
      write_file(path_, bytes);
      try {
        const SafetensorsFile file(path_);
        for (const TensorInfo& tensor : file.tensors()) {
          EXPECT_LE(tensor.offset + file.bytes(tensor).size(), all.size());
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
      }
    }
  }
}

TEST_F(SafetensorsTest, HeaderLengthIsBounded) {
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{100'000'001}, std::uint64_t{1} << 63,
                                     ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    SCOPED_TRACE(length);
    expect_refused(bytes_of(length) + "{}", "does not fit");
  }
  expect_refused(bytes_of(0), "does not start with '{'");
}

TEST_F(SafetensorsTest, HeaderMustBeOneJsonObject) {
  expect_header_refused("[]", "does not start with '{'", 0);
  expect_header_refused(" {}", "does not start with '{'", 0);
  expect_header_refused("{", "not valid JSON", 0);
  expect_header_refused("{}x", "not valid JSON", 0);
  expect_header_refused("{\"\xFF\":1}", "not valid JSON", 0);
  expect_header_refused(R"({"w":[]})", "not an object");
  expect_header_refused(R"({"w":1e999})", "not valid JSON");
  expect_header_refused(R"({"w":)" + std::string(100'000, '['), "nested");
}

TEST_F(SafetensorsTest, DuplicateNamesAndKeysAreRefused) {
  const std::string entry = R"({"dtype":"U8","shape":[16],"data_offsets":[0,16]})";
  expect_header_refused(R"({"w":)" + entry + R"(,"w":)" + entry + "}", "\"w\" twice");
  expect_header_refused(R"({"w":{"dtype":"U8","dtype":"I8","shape":[16],"data_offsets":[0,16]}})", "\"dtype\" twice");
  expect_header_refused(R"({"__metadata__":{"k":"1","k":"2"}})", "\"k\" twice", 0);
}

TEST_F(SafetensorsTest, MetadataHoldsTextOnly) {
  expect_header_refused(R"({"__metadata__":{"k":1}})", "\"k\" is not a string", 0);
  expect_header_refused(R"({"__metadata__":"k"})", "not an object", 0);
}

TEST_F(SafetensorsTest, EntriesOfWrongTypeAreRefused) {
  const auto entry = [](std::string_view dtype, std::string_view shape, std::string_view offsets) {
    return fmt::format(R"({{"w":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets);
  };
  expect_header_refused(entry("\"F33\"", "[4]", "[0,16]"), "F33");
  expect_header_refused(entry("\"BOOL\"", "[16]", "[0,16]"), "BOOL");
  expect_header_refused(entry("4", "[4]", "[0,16]"), "dtype is not a string");
  expect_header_refused(entry("\"F32\"", "4", "[0,16]"), "shape is not a list");
  expect_header_refused(entry("\"F32\"", "[-4]", "[0,16]"), "shape holds -4");
  expect_header_refused(entry("\"F32\"", "[4.0]", "[0,16]"), "shape holds 4.0");
  expect_header_refused(entry("\"F32\"", "[\"4\"]", "[0,16]"), "shape holds \"4\"");
  expect_header_refused(entry("\"F32\"", "[4]", "16"), "not a pair");
  expect_header_refused(entry("\"F32\"", "[4]", "[0,8,16]"), "not a pair");
  expect_header_refused(entry("\"F32\"", "[4]", "[-1,15]"), "data_offsets holds -1");
  expect_header_refused(entry("\"F32\"", "[4]", "[0,null]"), "data_offsets holds null");
  expect_header_refused(R"({"w":{"dtype":"F32","shape":[4]}})", "\"data_offsets\" is missing");
  expect_header_refused(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"x":1}})", "keys besides");
}

TEST_F(SafetensorsTest, SizesThatOverflowAreRefused) {
  const auto shaped = [](std::string_view shape) {
    return fmt::format(R"({{"w":{{"dtype":"F32","shape":{},"data_offsets":[0,16]}}}})", shape);
  };
  expect_header_refused(shaped("[4611686018427387904]"), "too large");
  expect_header_refused(shaped("[4294967296,4294967296]"), "too large");
  expect_header_refused(shaped("[9223372036854775808]"), "shape holds");
  expect_header_refused(shaped("[18446744073709551616]"), "shape holds");
  expect_header_refused(shaped("[0]"), "takes 0 bytes");
  expect_header_refused(shaped("[5]"), "takes 20 bytes");
}

TEST_F(SafetensorsTest, OffsetsMustTileTheData) {
  const auto two = [](std::string_view a, std::string_view b) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":[8],"data_offsets":{}}},)"
                       R"("b":{{"dtype":"U8","shape":[8],"data_offsets":{}}}}})",
                       a, b);
  };
  write_file(path_, file_of(two("[0,8]", "[8,16]"), 16));
  EXPECT_EQ(SafetensorsFile(path_).tensors().size(), 2U);
  expect_header_refused(two("[0,8]", "[0,8]"), "overlaps");
  expect_header_refused(two("[0,8]", "[7,15]"), "overlaps");
  expect_header_refused(two("[0,8]", "[9,17]"), "hole", 17);
  expect_header_refused(two("[1,9]", "[9,17]"), "hole", 17);
  expect_header_refused(two("[0,8]", "[9,17]"), "leave the file's data");
  expect_header_refused(two("[0,8]", "[16,8]"), "leave the file's data");
  expect_header_refused(two("[0,8]", "[18446744073709551608,18446744073709551615]"), "leave the file's data");
  expect_header_refused(two("[0,8]", "[8,16]"), "16 of the 24 bytes", 24);
}

TEST_F(SafetensorsTest, AFailedSaveLeavesNothing) {
  const float value = 1.0F;
  const auto bytes = std::as_bytes(std::span(&value, 1));
  const auto nowhere = folder_ / "absent" / "model.safetensors";
  expect_error(
      ErrorKind::environment, [&] { save_safetensors(nowhere, {}, {}); }, nowhere.parent_path().string());
  expect_input_error([&] { save_safetensors(path_, {{"k", "\xFF"}}, {}); }, "UTF-8");
  EXPECT_THROW(save_safetensors(path_, {}, std::vector<TensorSource>{{"w", DType::f32, {2}, bytes}}), std::logic_error);
  EXPECT_THROW(save_safetensors(
                   path_, {}, std::vector<TensorSource>{{"w", DType::f32, {1}, bytes}, {"w", DType::f32, {1}, bytes}}),
               std::logic_error);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace plume::nn
