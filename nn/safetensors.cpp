// Reads safetensors files through a read-only mapping, trusting nothing in them, and writes them.
#include "nn/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "kernels/base/atomic_file.hpp"
#include "kernels/base/bfloat16.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/float16.hpp"
#include "kernels/base/mapped_file.hpp"
#include "nn/strict_json.hpp"

namespace plume::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and is mapped as it is");

constexpr std::uint64_t prefix_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;  // the reference implementation's limit
constexpr std::string_view metadata_key = "__metadata__";

constexpr std::array<std::pair<std::string_view, DType>, 12> dtype_names{{{"F32", DType::f32},
                                                                          {"F64", DType::f64},
                                                                          {"F16", DType::f16},
                                                                          {"BF16", DType::bf16},
                                                                          {"U8", DType::u8},
                                                                          {"I8", DType::i8},
                                                                          {"U16", DType::u16},
                                                                          {"I16", DType::i16},
                                                                          {"I32", DType::i32},
                                                                          {"U32", DType::u32},
                                                                          {"I64", DType::i64},
                                                                          {"U64", DType::u64}}};

std::string_view format_name(DType type) {
  const auto* entry = std::ranges::find(dtype_names, type, &std::pair<std::string_view, DType>::second);
  return entry->first;
}

DType dtype_from(const std::string& name) {
  const auto* entry = std::ranges::find(dtype_names, name, &std::pair<std::string_view, DType>::first);
  if (entry == dtype_names.end()) {
    throw input_error("dtype \"{}\" is not one of F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8", name);
  }
  return entry->second;
}

// shape times size_of(type); throws where it does not fit 64 bits.
std::uint64_t extent(const std::vector<std::int64_t>& shape, DType type) {
  std::uint64_t bytes = size_of(type);
  for (const std::int64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes)) {
      throw input_error("shape [{}] is too large", fmt::join(shape, ", "));
    }
  }
  return bytes;
}

const nlohmann::json& member(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) throw input_error("\"{}\" is missing", key);
  return *found;
}

std::uint64_t unsigned_integer(const nlohmann::json& value, const char* what) {
  if (!value.is_number_unsigned()) throw input_error("{} holds {}, not a whole number >= 0", what, value.dump());
  return value.get<std::uint64_t>();
}

std::vector<std::int64_t> parse_shape(const nlohmann::json& value) {
  if (!value.is_array()) throw input_error("shape is not a list");
  std::vector<std::int64_t> shape;
  for (const auto& dimension : value) {
    const std::uint64_t size = unsigned_integer(dimension, "shape");
    if (size > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) throw input_error("shape holds {}", size);
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

TensorInfo parse_tensor(const std::string& name, const nlohmann::json& entry, std::uint64_t data_bytes) {
  if (!entry.is_object()) throw input_error("its entry is not an object");
  const auto& dtype = member(entry, "dtype");
  const auto& offsets = member(entry, "data_offsets");
  if (!dtype.is_string()) throw input_error("dtype is not a string");
  if (!offsets.is_array() || offsets.size() != 2) throw input_error("data_offsets is not a pair");
  if (entry.size() != 3) throw input_error("its entry has keys besides dtype, shape and data_offsets");

  TensorInfo tensor;
  tensor.name = name;
  tensor.dtype = dtype_from(dtype.get<std::string>());
  tensor.shape = parse_shape(member(entry, "shape"));
  const std::uint64_t begin = unsigned_integer(offsets[0], "data_offsets");
  const std::uint64_t end = unsigned_integer(offsets[1], "data_offsets");
  if (begin > end || end > data_bytes) {
    throw input_error("data_offsets [{}, {}] leave the file's data of {} bytes", begin, end, data_bytes);
  }
  tensor.offset = begin;
  tensor.bytes = extent(tensor.shape, tensor.dtype);
  if (tensor.bytes != end - begin) {
    throw input_error("{} of shape [{}] takes {} bytes, but data_offsets [{}, {}] hold {}", format_name(tensor.dtype),
                      fmt::join(tensor.shape, ", "), tensor.bytes, begin, end, end - begin);
  }
  return tensor;
}

Metadata parse_metadata(const nlohmann::json& entry) {
  if (!entry.is_object()) throw input_error("{} is not an object", metadata_key);
  Metadata metadata;
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) throw input_error("{} entry \"{}\" is not a string", metadata_key, key);
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// Sorted tensors must tile the data section: no overlap, no hole, nothing left over.
void check_tiling(const std::vector<TensorInfo>& tensors, std::uint64_t data_bytes) {
  std::uint64_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.offset != end) {
      throw input_error("tensor \"{}\" starts at byte {} of the data, where {} ({})", tensor.name, tensor.offset, end,
                        tensor.offset < end ? "it overlaps the one before" : "it leaves a hole");
    }
    end += tensor.bytes;
  }
  if (end != data_bytes) throw input_error("tensors cover {} of the {} bytes of data", end, data_bytes);
}

void check_sources(std::span<const TensorSource> tensors) {
  std::set<std::string_view> names{metadata_key};
  for (const TensorSource& tensor : tensors) {
    if (!names.insert(tensor.name).second) throw std::logic_error("tensor name given twice: " + tensor.name);
    if (std::ranges::any_of(tensor.shape, [](std::int64_t size) { return size < 0; }) ||
        extent(tensor.shape, tensor.dtype) != tensor.bytes.size()) {
      throw std::logic_error("shape and bytes differ: " + tensor.name);
    }
  }
}

// All of a file that stands before the tensors.
std::string start_text(const Metadata& metadata, std::span<const TensorSource> tensors) {
  check_sources(tensors);
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(metadata_key)] = metadata;
  std::uint64_t offset = 0;
  for (const TensorSource& tensor : tensors) {
    const std::uint64_t end = offset + tensor.bytes.size();
    header[tensor.name] = {
        {"dtype", format_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw input_error("a tensor's name or a metadata entry is not UTF-8 text, and safetensors can hold nothing else");
  }
  // Padding the header puts the data section on an 8-byte boundary.
  text.resize((text.size() + prefix_bytes - 1) / prefix_bytes * prefix_bytes, ' ');
  const std::uint64_t bytes = text.size();
  if (bytes > max_header_bytes)
    throw input_error("a header of {} bytes exceeds the format's limit of {}", bytes, max_header_bytes);
  std::string start(prefix_bytes, '\0');
  std::memcpy(start.data(), &bytes, prefix_bytes);
  return start + text;
}

// A wrong source is the caller's mistake, not the user's.
template <class Source, class Convert>
std::vector<float> convert(std::span<const std::byte> bytes, Convert to_float) {
  std::vector<float> values(bytes.size() / sizeof(Source));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Source element;  // the data need not be aligned
    std::memcpy(&element, bytes.data() + i * sizeof(Source), sizeof(Source));
    values[i] = to_float(element);
  }
  return values;
}

}  // namespace

struct SafetensorsFile::Mapping {
  std::filesystem::path path;
  MappedFile file;
  std::uint64_t data_start = 0;
  Metadata metadata;
  std::vector<TensorInfo> tensors;

  explicit Mapping(const std::filesystem::path& name) : path(name), file(name) {}

  void parse();
};

void SafetensorsFile::Mapping::parse() {
  const std::uint64_t size = file.bytes().size();
  if (size < prefix_bytes) throw input_error("{} bytes are too few for a safetensors file", size);
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.bytes().data(), prefix_bytes);
  if (header_bytes > max_header_bytes || header_bytes > size - prefix_bytes) {
    throw input_error("header of {} bytes does not fit a file of {} (not a safetensors file, or truncated)",
                      header_bytes, size);
  }
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()) + prefix_bytes, header_bytes);
  if (!text.starts_with('{')) throw input_error("header does not start with '{{'");
  data_start = prefix_bytes + header_bytes;

  const nlohmann::json header = parse_strict_json(text);
  for (const auto& [name, entry] : header.items()) {
    if (name == metadata_key) {
      metadata = parse_metadata(entry);
      continue;
    }
    try {
      tensors.push_back(parse_tensor(name, entry, size - data_start));
    } catch (const Error& error) {
      throw input_error("tensor \"{}\": {}", name, error.what());
    }
  }
  // An empty tensor sits at the start of its neighbour, so it sorts before it.
  std::ranges::sort(tensors, {}, [](const TensorInfo& tensor) { return std::pair(tensor.offset, tensor.bytes); });
  check_tiling(tensors, size - data_start);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : mapping_(std::make_unique<Mapping>(path)) {
  try {
    mapping_->parse();
  } catch (const Error& error) {
    throw input_error("{}: {}", path.string(), error.what());
  }
}

SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::filesystem::path& SafetensorsFile::path() const noexcept {
  return mapping_->path;
}
const Metadata& SafetensorsFile::metadata() const noexcept {
  return mapping_->metadata;
}
const std::vector<TensorInfo>& SafetensorsFile::tensors() const noexcept {
  return mapping_->tensors;
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(mapping_->tensors, name, &TensorInfo::name);
  return found == mapping_->tensors.end() ? nullptr : &*found;
}

std::span<const std::byte> SafetensorsFile::data() const noexcept {
  return mapping_->file.bytes().subspan(mapping_->data_start);
}

std::span<const std::byte> SafetensorsFile::bytes(const TensorInfo& tensor) const noexcept {
  return mapping_->file.bytes().subspan(mapping_->data_start + tensor.offset, tensor.bytes);
}

std::vector<float> SafetensorsFile::floats(std::string_view name) const {
  const TensorInfo* tensor = find(name);
  if (tensor == nullptr) throw input_error("{}: tensor \"{}\" is missing", path().string(), name);
  switch (tensor->dtype) {
    case DType::f32: return convert<float>(bytes(*tensor), [](float value) { return value; });
    case DType::f64: return convert<double>(bytes(*tensor), [](double value) { return static_cast<float>(value); });
    case DType::f16: return convert<std::uint16_t>(bytes(*tensor), float_from_f16);
    case DType::bf16:
      return convert<std::uint16_t>(bytes(*tensor),
                                    [](std::uint16_t bits) { return static_cast<float>(bf16::from_bits(bits)); });
    default:
      throw input_error("{}: tensor \"{}\" holds {}, not floats", path().string(), name, format_name(tensor->dtype));
  }
}

std::vector<std::byte> encode_safetensors(const Metadata& metadata, std::span<const TensorSource> tensors) {
  const std::string start = start_text(metadata, tensors);
  std::vector<std::byte> file(start.size());
  std::memcpy(file.data(), start.data(), start.size());
  for (const TensorSource& tensor : tensors) file.insert(file.end(), tensor.bytes.begin(), tensor.bytes.end());
  return file;
}

void save_safetensors(const std::filesystem::path& path, const Metadata& metadata,
                      std::span<const TensorSource> tensors, const std::function<void()>& before) {
  const std::string start = with_context(path.string(), [&] { return start_text(metadata, tensors); });
  AtomicFile file(path);
  file.write(start);
  for (const TensorSource& tensor : tensors) file.write(tensor.bytes);
  if (before) {
    file.sync();
    before();
  }
  file.commit();
}

}  // namespace plume::nn
