// The structure of tf.keras's hdf5_format.py: text attributes at the root, one group of datasets per layer.
#include "unet/keras_h5_write.hpp"

#include <algorithm>

#include "data/formats/hdf5.hpp"
#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

using data::Hdf5Attribute;
using data::Hdf5Dataset;
using data::Hdf5File;
using data::Hdf5Properties;
using data::Hdf5Space;
using data::Hdf5Type;
using Hdf5Group = data::Hdf5Handle<H5Gclose>;

constexpr std::size_t growth = std::size_t{1} << 20;  // of a file in memory

void require(bool succeeded, const std::string& what) {
  if (!succeeded) throw environment_error("HDF5 failed to write {}", what);
}

// Of variable length, as h5py writes it: it may be longer than the 64 KiB that an attribute holds by itself.
void write_text(hid_t object, const char* name, const std::string& text) {
  const Hdf5Type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), H5T_VARIABLE);
  const Hdf5Space space(H5Screate(H5S_SCALAR));
  const Hdf5Attribute attribute(H5Acreate2(object, name, type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT));
  const char* pointer = text.c_str();
  require(attribute && H5Awrite(attribute.id(), type.id(), &pointer) >= 0, name);
}

// As NumPy's byte strings.
void write_names(hid_t object, const char* name, const std::vector<std::string>& names) {
  std::size_t length = 1;
  for (const std::string& each : names) length = std::max(length, each.size());
  std::string bytes;
  for (std::string each : names) {
    each.resize(length, '\0');
    bytes += each;
  }
  const Hdf5Type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), length);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  const hsize_t count = names.size();
  const Hdf5Space space(H5Screate_simple(1, &count, nullptr));
  const Hdf5Attribute attribute(H5Acreate2(object, name, type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT));
  require(attribute && H5Awrite(attribute.id(), type.id(), bytes.data()) >= 0, name);
}

// No modification times: the same model gives the same bytes.
Hdf5Properties untimed(hid_t kind) {
  Hdf5Properties properties(H5Pcreate(kind));
  H5Pset_obj_track_times(properties.id(), false);
  return properties;
}

// So that names may hold slashes.
Hdf5Properties with_folders() {
  Hdf5Properties folders(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(folders.id(), 1);
  return folders;
}

void write_weight(const Hdf5Group& group, const KerasWeight& weight) {
  const std::vector<hsize_t> extents(weight.shape.begin(), weight.shape.end());
  const Hdf5Space space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
  const Hdf5Properties properties = untimed(H5P_DATASET_CREATE);
  const Hdf5Dataset dataset(H5Dcreate2(group.id(), weight.name.c_str(), H5T_IEEE_F32LE, space.id(), with_folders().id(),
                                       properties.id(), H5P_DEFAULT));
  require(dataset && H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight.values.data()) >= 0,
          weight.name);
}

Hdf5Group make_group(hid_t parent, const std::string& name) {
  Hdf5Group group(H5Gcreate2(parent, name.c_str(), with_folders().id(), H5P_DEFAULT, H5P_DEFAULT));
  require(static_cast<bool>(group), name);
  return group;
}

void write_layer(const Hdf5Group& all, const std::string& layer, const std::vector<KerasWeight>& weights) {
  const Hdf5Group group = make_group(all.id(), layer);
  std::vector<std::string> names;
  for (const KerasWeight& weight : weights) {
    if (weight.layer != layer) continue;
    write_weight(group, weight);
    names.push_back(weight.name);
  }
  write_names(group.id(), "weight_names", names);
}

std::vector<std::byte> image_of(const Hdf5File& file) {
  require(H5Fflush(file.id(), H5F_SCOPE_LOCAL) >= 0, "a model");
  const ssize_t size = H5Fget_file_image(file.id(), nullptr, 0);
  require(size > 0, "a model");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  require(H5Fget_file_image(file.id(), bytes.data(), bytes.size()) == size, "a model");
  return bytes;
}

}  // namespace

std::vector<std::byte> encode_keras_h5(const KerasFileContent& content) {
  const data::Hdf5Session session;
  const Hdf5Properties in_memory(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(in_memory.id(), growth, false);
  const Hdf5Properties creation = untimed(H5P_FILE_CREATE);
  const Hdf5File file(H5Fcreate("model.h5", H5F_ACC_TRUNC, creation.id(), in_memory.id()));
  require(static_cast<bool>(file), "a model");
  write_text(file.id(), "keras_version", content.keras_version);
  write_text(file.id(), "backend", "tensorflow");
  write_text(file.id(), "model_config", content.model_config);
  const Hdf5Group all = make_group(file.id(), "model_weights");
  write_text(all.id(), "keras_version", content.keras_version);
  write_text(all.id(), "backend", "tensorflow");
  write_names(all.id(), "layer_names", content.layers);
  for (const std::string& layer : content.layers) write_layer(all, layer, content.weights);
  return image_of(file);
}

}  // namespace plume::unet
