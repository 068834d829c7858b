// Reads attributes and datasets of a Keras file through HDF5's C API, which answers damage with error codes.
#include "unet/keras_h5.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "data/hdf5.hpp"
#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

constexpr std::size_t max_text_bytes = std::size_t{256} << 20;

using data::Hdf5Attribute;
using data::Hdf5Dataset;
using data::Hdf5File;
using data::Hdf5Space;
using data::Hdf5Type;
using Hdf5Group = data::Hdf5Handle<H5Gclose>;

// h5py writes text as variable-length strings, NumPy byte arrays as fixed-length ones.
std::vector<std::string> read_variable_strings(const Hdf5Attribute& attribute, const Hdf5Type& file_type,
                                               const Hdf5Space& space, std::size_t count) {
  const Hdf5Type memory_type(H5Tcopy(file_type.id()));
  std::vector<char*> pointers(count, nullptr);
  std::vector<std::string> strings;
  if (H5Aread(attribute.id(), memory_type.id(), pointers.data()) < 0) throw input_error("holds unreadable text");
  for (const char* pointer : pointers) strings.emplace_back(pointer != nullptr ? pointer : "");
  H5Dvlen_reclaim(memory_type.id(), space.id(), H5P_DEFAULT, pointers.data());
  return strings;
}

std::vector<std::string> read_fixed_strings(const Hdf5Attribute& attribute, const Hdf5Type& file_type,
                                            std::size_t count) {
  const std::size_t length = H5Tget_size(file_type.id());
  if (length == 0 || length > max_text_bytes / std::max<std::size_t>(count, 1)) throw input_error("is too large");
  std::vector<char> bytes(length * count);
  if (H5Aread(attribute.id(), file_type.id(), bytes.data()) < 0) throw input_error("holds unreadable text");
  std::vector<std::string> strings;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view field(bytes.data() + i * length, length);
    strings.emplace_back(field.substr(0, field.find('\0')));
  }
  return strings;
}

std::vector<std::string> read_strings(hid_t object, const char* name) {
  const Hdf5Attribute attribute(H5Aopen(object, name, H5P_DEFAULT));
  if (!attribute) throw input_error("is missing");
  const Hdf5Type type(H5Aget_type(attribute.id()));
  const Hdf5Space space(H5Aget_space(attribute.id()));
  const hssize_t count = space ? H5Sget_simple_extent_npoints(space.id()) : -1;
  if (!type || H5Tget_class(type.id()) != H5T_STRING) throw input_error("is not text");
  if (count < 0 || static_cast<std::size_t>(count) > max_text_bytes / sizeof(char*)) throw input_error("is too large");
  if (count == 0) return {};
  const auto size = static_cast<std::size_t>(count);
  return H5Tis_variable_str(type.id()) > 0 ? read_variable_strings(attribute, type, space, size)
                                           : read_fixed_strings(attribute, type, size);
}

std::string read_string(hid_t object, const char* name) {
  try {
    const std::vector<std::string> strings = read_strings(object, name);
    if (strings.size() != 1) throw input_error("holds {} texts, not one", strings.size());
    return strings[0];
  } catch (const Error& error) {
    throw input_error("attribute {} {}", name, error.what());
  }
}

// "conv2d/kernel:0" and "conv2d/kernel" are both the kernel.
std::string_view leaf(std::string_view weight_name) {
  weight_name.remove_prefix(weight_name.rfind('/') + 1);  // npos + 1 is 0
  return weight_name.substr(0, weight_name.find(':'));
}

std::vector<std::int64_t> shape_of(const Hdf5Dataset& dataset) {
  const Hdf5Space space(H5Dget_space(dataset.id()));
  const int rank = space ? H5Sget_simple_extent_ndims(space.id()) : -1;
  if (rank < 0) throw input_error("has an unreadable shape");
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

std::vector<float> read_floats(const Hdf5Group& group, const std::string& name,
                               const std::vector<std::int64_t>& shape) {
  const Hdf5Dataset dataset(H5Dopen2(group.id(), name.c_str(), H5P_DEFAULT));
  if (!dataset) throw input_error("cannot be opened (file damaged?)");
  const Hdf5Type type(H5Dget_type(dataset.id()));
  if (!type || H5Tget_class(type.id()) != H5T_FLOAT) throw input_error("does not hold floats");
  // Compared before anything is allocated: the file decides no sizes.
  if (const auto stored = shape_of(dataset); stored != shape) {
    throw input_error("has shape [{}], but the layer graph asks for [{}]", fmt::join(stored, ", "),
                      fmt::join(shape, ", "));
  }
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  std::vector<float> values(count);
  if (H5Dread(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    throw input_error("cannot be read (file truncated or damaged)");
  }
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    throw input_error("holds NaN or infinity");
  }
  return values;
}

}  // namespace

struct KerasFile::Open {
  data::Hdf5Session session;
  Hdf5File file;

  explicit Open(const std::filesystem::path& path) : file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)) {}
};

KerasFile::KerasFile(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status)) throw input_error("no such file");
  // HDF5 would wait for a pipe's writer.
  if (!std::filesystem::is_regular_file(status)) throw input_error("not a regular file");
  open_ = std::make_unique<Open>(path);
  if (!open_->file) {
    throw input_error("not a readable HDF5 file: truncated, damaged or another format (save a .keras model as .h5)");
  }
}

KerasFile::~KerasFile() = default;

std::string KerasFile::model_config() const {
  const hid_t root = open_->file.id();
  if (H5Aexists(root, "model_config") <= 0) {
    throw input_error("no attribute model_config, so not a whole Keras model (save with model.save, not save_weights)");
  }
  return read_string(root, "model_config");
}

std::string KerasFile::keras_version() const {
  const hid_t root = open_->file.id();
  return H5Aexists(root, "keras_version") > 0 ? read_string(root, "keras_version") : std::string();
}

std::vector<float> KerasFile::weight(const std::string& layer, std::string_view name,
                                     const std::vector<std::int64_t>& shape) const {
  try {
    const Hdf5Group group(H5Gopen2(open_->file.id(), ("model_weights/" + layer).c_str(), H5P_DEFAULT));
    if (!group) throw input_error("has no group under model_weights");
    const std::vector<std::string> names = read_strings(group.id(), "weight_names");
    const auto found = std::ranges::find(names, name, leaf);
    if (found == names.end()) throw input_error("is not among the layer's weights [{}]", fmt::join(names, ", "));
    return read_floats(group, *found, shape);
  } catch (const Error& error) {
    throw input_error("layer '{}': weight {} {}", layer, name, error.what());
  }
}

}  // namespace plume::unet
