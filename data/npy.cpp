// The .npy format: a magic, a version, a Python dict literal as header, then the raw numbers.
#include "data/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <string>
#include <string_view>
#include <type_traits>

#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

static_assert(std::endian::native == std::endian::little, "plume reads and writes little-endian files as they are");

namespace plume::data {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t max_header_bytes = 65536;

struct Header {
  DType dtype{};
  std::vector<std::int64_t> shape;
};

// A reader for the one dict that a .npy header may be; every step names the file when it fails.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  Header parse() {
    Header header;
    bool have_type = false;
    bool have_shape = false;
    bool have_order = false;
    expect('{');
    while (!accept('}')) {
      const auto key = string();
      expect(':');
      if (key == "descr") {
        header.dtype = dtype(string());
        have_type = true;
      } else if (key == "fortran_order") {
        order();
        have_order = true;
      } else if (key == "shape") {
        header.shape = shape();
        have_shape = true;
      } else {
        throw bad("has an unknown key in its header");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!have_type || !have_shape || !have_order) throw bad("lacks descr, fortran_order or shape in its header");
    return header;
  }

 private:
  [[nodiscard]] Error bad(std::string_view what) const {
    return input_error("{} is not a usable .npy file: it {}", path_.string(), what);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  bool accept(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) throw bad("has a damaged header");
  }

  std::string_view string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) throw bad("has a damaged header");
    const auto found = text_.substr(at_, end - at_);
    at_ = end + 1;
    return found;
  }

  DType dtype(std::string_view descr) const {
    struct Known {
      std::string_view descr;
      DType type;
    };
    static constexpr std::array<Known, 9> known{{{"|u1", DType::u8},
                                                 {"<u1", DType::u8},
                                                 {"|b1", DType::u8},
                                                 {"<u2", DType::u16},
                                                 {"<i2", DType::i16},
                                                 {"<i4", DType::i32},
                                                 {"<u4", DType::u32},
                                                 {"<f4", DType::f32},
                                                 {"<f8", DType::f64}}};
    for (const auto& entry : known) {
      if (entry.descr == descr) return entry.type;
    }
    throw input_error(
        "{}: element type '{}' is not supported; save it as uint8, uint16, int16, int32, float32 or float64",
        path_.string(), descr);
  }

  void order() {
    skip_space();
    if (text_.substr(at_).starts_with("True"))
      throw input_error("{} is in Fortran order; save it with numpy.ascontiguousarray", path_.string());
    if (!text_.substr(at_).starts_with("False")) throw bad("has a damaged header");
    at_ += 5;
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!accept(')')) {
      extents.push_back(extent());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    if (extents.size() > 4) throw bad("has more than 4 dimensions");
    return extents;
  }

  std::int64_t extent() {
    skip_space();
    std::int64_t value = 0;
    const auto start = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + (text_[at_] - '0');
      if (value > (std::int64_t{1} << 40)) throw bad("claims an impossible shape");
    }
    if (at_ == start) throw bad("has a damaged header");
    if (value == 0) throw bad("is an empty array");
    return value;
  }

  std::string_view text_;
  const std::filesystem::path& path_;
  std::size_t at_ = 0;
};

// A .npy being read, at the place behind what was read so far.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), file_(path, std::ios::binary) {
    std::error_code failed;
    left_ = std::filesystem::file_size(path, failed);
    if (failed || !file_) throw input_error("cannot read {}: no such file or no permission", path.string());
  }

  // Bytes that have not been read.
  [[nodiscard]] std::size_t left() const { return left_; }

  void read(void* to, std::size_t bytes) {
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (file_.gcount() != static_cast<std::streamsize>(bytes))
      throw input_error("cannot read all of {}", path_.string());
    left_ -= bytes;
  }

  // The header's text; version 1 keeps its length in 2 bytes, versions 2 and 3 in 4.
  std::string header() {
    const auto damaged = input_error("{} is not a .npy file or is truncated", path_.string());
    std::array<char, 8> start{};
    std::array<unsigned char, 4> length_bytes{};
    if (left_ < start.size() + length_bytes.size()) throw damaged;
    read(start.data(), start.size());
    if (!std::string_view(start.data(), start.size()).starts_with(magic)) throw damaged;
    const int version = start[6];
    if (version < 1 || version > 3) throw input_error("{}: .npy version {} is not known", path_.string(), version);
    const std::size_t width = version == 1 ? 2 : 4;
    read(length_bytes.data(), width);
    std::size_t length = 0;
    for (std::size_t i = 0; i < width; ++i) length |= std::size_t{length_bytes[i]} << (8 * i);
    if (length > max_header_bytes || length > left_) throw damaged;
    std::string text(length, '\0');
    read(text.data(), length);
    return text;
  }

  template <class T>
  std::vector<float> values(std::size_t count) {
    std::vector<T> stored(count);
    read(stored.data(), count * sizeof(T));
    if constexpr (std::is_same_v<T, float>) {
      return stored;
    } else {
      return {stored.begin(), stored.end()};
    }
  }

  std::vector<float> values(DType type, std::size_t count) {
    switch (type) {
      case DType::u8: return values<std::uint8_t>(count);
      case DType::u16: return values<std::uint16_t>(count);
      case DType::i16: return values<std::int16_t>(count);
      case DType::i32: return values<std::int32_t>(count);
      case DType::u32: return values<std::uint32_t>(count);
      case DType::f64: return values<double>(count);
      default: return values<float>(count);
    }
  }

 private:
  const std::filesystem::path& path_;
  std::ifstream file_;
  std::size_t left_ = 0;
};

void write(const std::filesystem::path& path, std::string_view descr, std::span<const std::int64_t> shape,
           std::span<const std::byte> bytes) {
  std::string extents;
  for (const auto extent : shape) extents += fmt::format("{}, ", extent);
  auto header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, extents);
  // The format asks that the numbers start at a multiple of 64.
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string start{magic};
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  AtomicFile file(path);
  file.write(start + header);
  file.write(bytes);
  file.commit(Durable::no);
}

}  // namespace

NpyArray read_npy(const std::filesystem::path& path) {
  Reader reader(path);
  const std::string text = reader.header();
  const auto header = HeaderParser(text, path).parse();
  std::size_t count = 1;
  for (const auto extent : header.shape) {
    count *= static_cast<std::size_t>(extent);
    // Checked at each step, so that the product cannot overflow.
    if (count > reader.left()) break;
  }
  if (count > reader.left() || count * size_of(header.dtype) != reader.left())
    throw input_error("{}: its header asks for more or fewer numbers than the {} bytes that follow (truncated?)",
                      path.string(), reader.left());
  return {header.dtype, header.shape, reader.values(header.dtype, count)};
}

void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape, std::span<const float> values) {
  write(path, "<f4", shape, std::as_bytes(values));
}

void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const std::uint8_t> values) {
  write(path, "|u1", shape, std::as_bytes(values));
}

}  // namespace plume::data
