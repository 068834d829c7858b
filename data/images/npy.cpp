// The .npy format: a magic, a version, a Python dict literal as header, then the raw numbers.
#include "data/images/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"

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
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

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
    return input_error("{} is not a usable .npy file: it {}", name_, what);
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

  [[nodiscard]] DType dtype(std::string_view descr) const {
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
        "{}: element type '{}' is not supported; save it as uint8, uint16, int16, int32, float32 or float64", name_,
        descr);
  }

  void order() {
    skip_space();
    if (text_.substr(at_).starts_with("True"))
      throw input_error("{} is in Fortran order; save it with numpy.ascontiguousarray", name_);
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
  const std::string& name_;
  std::size_t at_ = 0;
};

// What follows the header, and its text.
struct Parts {
  std::string_view header;
  std::span<const std::byte> numbers;
};

// Version 1 keeps the header's length in 2 bytes, versions 2 and 3 in 4.
Parts parts_of(std::span<const std::byte> bytes, const std::string& name) {
  const auto damaged = [&] { return input_error("{} is not a .npy file or is truncated", name); };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.size() < 12 || !text.starts_with(magic)) throw damaged();
  const auto version = std::to_integer<unsigned>(bytes[6]);
  if (version < 1 || version > 3) throw input_error("{}: .npy version {} is not known", name, version);
  const std::size_t width = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= std::to_integer<std::size_t>(bytes[8 + i]) << (8 * i);
  const std::size_t start = 8 + width;
  if (length > max_header_bytes || length > bytes.size() - start) throw damaged();
  return {text.substr(start, length), bytes.subspan(start + length)};
}

// The header may have any length, so numbers need not be aligned.
template <class T>
std::vector<float> values_of(std::span<const std::byte> numbers) {
  std::vector<float> values(numbers.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T stored;
    std::memcpy(&stored, numbers.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<float>(stored);
  }
  return values;
}

std::vector<float> values_of(DType type, std::span<const std::byte> numbers) {
  switch (type) {
    case DType::u8: return values_of<std::uint8_t>(numbers);
    case DType::u16: return values_of<std::uint16_t>(numbers);
    case DType::i16: return values_of<std::int16_t>(numbers);
    case DType::i32: return values_of<std::int32_t>(numbers);
    case DType::u32: return values_of<std::uint32_t>(numbers);
    case DType::f64: return values_of<double>(numbers);
    default: return values_of<float>(numbers);
  }
}

void write(const std::filesystem::path& path, const std::string& start, std::span<const std::byte> numbers) {
  AtomicFile file(path);
  file.write(start);
  file.write(numbers);
  file.commit(Durable::no);
}

}  // namespace

NpyArray decode_npy(std::span<const std::byte> bytes, const std::string& name) {
  const Parts parts = parts_of(bytes, name);
  const auto header = HeaderParser(parts.header, name).parse();
  const std::size_t left = parts.numbers.size();
  std::size_t count = 1;
  for (const auto extent : header.shape) {
    count *= static_cast<std::size_t>(extent);
    // Checked at each step, so that the product cannot overflow.
    if (count > left) break;
  }
  if (count > left || count * size_of(header.dtype) != left)
    throw input_error("{}: its header asks for more or fewer numbers than the {} bytes that follow (truncated?)", name,
                      left);
  return {header.dtype, header.shape, values_of(header.dtype, parts.numbers)};
}

NpyArray read_npy(const std::filesystem::path& path) {
  return decode_npy(MappedFile(path).bytes(), path.string());
}

std::string npy_start(DType dtype, std::span<const std::int64_t> shape) {
  std::string extents;
  for (const auto extent : shape) extents += fmt::format("{}, ", extent);
  auto header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                            dtype == DType::u8 ? "|u1" : "<f4", extents);
  // The format asks that the numbers start at a multiple of 64.
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string start{magic};
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  return start + header;
}

std::vector<std::byte> encode_npy(std::span<const std::int64_t> shape, std::span<const float> values) {
  const std::string start = npy_start(DType::f32, shape);
  std::vector<std::byte> bytes(start.size() + values.size_bytes());
  std::memcpy(bytes.data(), start.data(), start.size());
  std::memcpy(bytes.data() + start.size(), values.data(), values.size_bytes());
  return bytes;
}

void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape, std::span<const float> values) {
  write(path, npy_start(DType::f32, shape), std::as_bytes(values));
}

void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const std::uint8_t> values) {
  write(path, npy_start(DType::u8, shape), std::as_bytes(values));
}

}  // namespace plume::data
