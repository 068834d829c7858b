// A shape from text, and numbers of four types as floats.
#include "unet/serve/decode_raw.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "unet/serve/status.hpp"

static_assert(std::endian::native == std::endian::little, "plume takes little-endian numbers as they are");

namespace plume::serve {
namespace {

constexpr std::string_view example = "such as 1,256,256,6";

std::vector<std::int64_t> parse_shape(std::string_view text) {
  if (text.empty()) {
    throw request_error(Status::bad_request, "application/octet-stream needs the header X-Plume-Shape, {}", example);
  }
  std::vector<std::int64_t> shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    std::int64_t extent = 0;
    while (at != end && *at == ' ') ++at;
    const auto [next, error] = std::from_chars(at, end, extent);
    const bool more = error == std::errc() && next != end && (*next == ',' || *next == 'x');
    if (error != std::errc() || (next != end && !more) || extent < 0) {
      throw request_error(Status::bad_request, "'{}' is no shape, {}", text, example);
    }
    shape.push_back(extent);
    if (!more) return shape;
    at = next + 1;
  }
}

template <class T>
std::vector<float> floats_of(std::string_view bytes, std::size_t count) {
  if (bytes.size() != count * sizeof(T)) {
    throw request_error(Status::bad_request, "the body has {} bytes; its shape and type ask for {}", bytes.size(),
                        count * sizeof(T));
  }
  std::vector<float> values(count);
  if constexpr (std::is_same_v<T, float>) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
      values[i] = static_cast<float>(value);
    }
  }
  return values;
}

}  // namespace

ImageBatch decode_raw(std::string_view bytes, std::string_view shape, std::string_view dtype,
                      const DecodeLimits& limits) {
  ImageBatch batch = batch_of_shape(parse_shape(shape), limits);
  const std::size_t count = static_cast<std::size_t>(batch.images) * static_cast<std::size_t>(batch.height) *
                            static_cast<std::size_t>(batch.width) * static_cast<std::size_t>(batch.bands);
  if (dtype == "f4") {
    batch.pixels = floats_of<float>(bytes, count);
  } else if (dtype == "u1") {
    batch.pixels = floats_of<std::uint8_t>(bytes, count);
  } else if (dtype == "u2") {
    batch.pixels = floats_of<std::uint16_t>(bytes, count);
  } else if (dtype == "f8") {
    batch.pixels = floats_of<double>(bytes, count);
  } else {
    throw request_error(Status::bad_request, "'{}' is no type of numbers; u1, u2, f4 and f8 are known", dtype);
  }
  return batch;
}

}  // namespace plume::serve
