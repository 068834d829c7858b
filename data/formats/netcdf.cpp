// Reading through NetCDF-C.
#include "data/formats/netcdf.hpp"

#include <array>

#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

std::mutex& netcdf_mutex() {
  static std::mutex mutex;
  return mutex;
}

int id_of(const NetcdfVariable* variable) {
  return variable == nullptr ? NC_GLOBAL : variable->id;
}

}  // namespace

// NetCDF-C silences HDF5 in the thread that comes first; HDF5 wants to be told by each.
NetcdfLock::NetcdfLock() : lock_(netcdf_mutex()) {
  netcdf().set_error_printer(H5E_DEFAULT, nullptr, nullptr);
}

NetcdfFile::NetcdfFile(const std::filesystem::path& path) : path_(path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) throw input_error("cannot read {}: no such file", path.string());
  if (!std::filesystem::is_regular_file(status)) throw input_error("{} is not a regular file", path.string());
  const NetcdfLock lock;
  if (netcdf().open(path.c_str(), NC_NOWRITE, &id_) != NC_NOERR)
    throw input_error("{} is no NetCDF file, or was cut short; fetch it again", path.string());
}

NetcdfFile::~NetcdfFile() {
  const NetcdfLock lock;
  netcdf().close(id_);
}

void NetcdfFile::check(int status, const std::string& what) const {
  if (status != NC_NOERR)
    throw input_error("cannot read {} of {}: {}; is the file damaged?", what, path_.string(),
                      netcdf().error_text(status));
}

std::optional<NetcdfVariable> NetcdfFile::find(const std::string& name) const {
  const NetcdfLock lock;
  NetcdfVariable variable{.name = name};
  if (netcdf().find_variable(id_, name.c_str(), &variable.id) != NC_NOERR) return std::nullopt;
  int rank = 0;
  std::array<int, NC_MAX_VAR_DIMS> dimensions{};
  check(netcdf().describe_variable(id_, variable.id, nullptr, &variable.type, &rank, dimensions.data(), nullptr), name);
  variable.shape.resize(static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < variable.shape.size(); ++i)
    check(netcdf().dimension_length(id_, dimensions[i], &variable.shape[i]), name);
  int storage = NC_CONTIGUOUS;
  variable.chunk.resize(variable.shape.size());
  if (rank == 0 || netcdf().describe_chunking(id_, variable.id, &storage, variable.chunk.data()) != NC_NOERR ||
      storage != NC_CHUNKED)
    variable.chunk.clear();
  return variable;
}

NetcdfVariable NetcdfFile::variable(const std::string& name) const {
  const auto found = find(name);
  if (!found) throw input_error("{} has no variable {}", path_.string(), name);
  return *found;
}

std::vector<double> NetcdfFile::numbers(const NetcdfVariable* variable, const std::string& name) const {
  constexpr std::size_t most = 64;  // the longest list that a file of ours has; a damaged one may claim any length
  const NetcdfLock lock;
  std::size_t length = 0;
  if (netcdf().describe_attribute(id_, id_of(variable), name.c_str(), nullptr, &length) != NC_NOERR || length > most)
    return {};
  std::vector<double> values(length);
  if (netcdf().get_attribute_double(id_, id_of(variable), name.c_str(), values.data()) != NC_NOERR) return {};
  return values;
}

std::string NetcdfFile::text(const NetcdfVariable* variable, const std::string& name) const {
  constexpr std::size_t most = std::size_t{1} << 20;
  const NetcdfLock lock;
  nc_type type = NC_NAT;
  std::size_t length = 0;
  if (netcdf().describe_attribute(id_, id_of(variable), name.c_str(), &type, &length) != NC_NOERR || length > most)
    return "";
  if (type == NC_CHAR) {
    std::string text(length, '\0');
    if (netcdf().get_attribute_text(id_, id_of(variable), name.c_str(), text.data()) != NC_NOERR) return "";
    return text.substr(0, text.find('\0'));
  }
  char* string = nullptr;
  if (type != NC_STRING || length != 1 ||
      netcdf().get_attribute_string(id_, id_of(variable), name.c_str(), &string) != NC_NOERR)
    return "";
  std::string text = string == nullptr ? "" : string;
  netcdf().free_string(1, &string);
  return text;
}

double NetcdfFile::number(const NetcdfVariable& variable, const std::string& name) const {
  const auto found = numbers(&variable, name);
  if (found.size() != 1) throw input_error("{}: {} has no number {}", path_.string(), variable.name, name);
  return found[0];
}

std::vector<double> NetcdfFile::values(const NetcdfVariable& variable, std::size_t most) const {
  std::size_t count = 1;
  for (const std::size_t extent : variable.shape) count *= extent;
  if (variable.shape.size() > 1 || count > most)
    throw input_error("{}: {} has {} values, more than the {} that it may have", path_.string(), variable.name, count,
                      most);
  std::vector<double> values(count);
  const NetcdfLock lock;
  check(netcdf().get_double(id_, variable.id, values.data()), variable.name);
  return values;
}

double NetcdfFile::scalar(const std::string& name) const {
  const auto found = values(variable(name), 1);
  if (found.size() != 1) throw input_error("{}: {} has no value", path_.string(), name);
  return found[0];
}

const ChunkedImage* NetcdfFile::chunked_image(const NetcdfVariable& variable) const {
  if (variable.chunk.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = chunked_images_.try_emplace(variable.id);
  if (is_new) {
    auto image = ChunkedImage::open(path_, variable.name);
    // Along an unlimited dimension NetCDF's variables may be longer than what was written of them.
    if (image && variable.shape == std::vector{image->height(), image->width()}) found->second = std::move(image);
  }
  return found->second.get();
}

void NetcdfFile::read(const NetcdfVariable& variable, const PixelWindow& window, nc_type one, nc_type other,
                      void* target) const {
  if (variable.type != one && variable.type != other)
    throw input_error("{} of {} does not have the type that its product has", variable.name, path_.string());
  if (variable.shape.size() != 2 || window.row + window.height > variable.shape[0] ||
      window.column + window.width > variable.shape[1])
    throw input_error("{} of {} is not [height, width] or smaller than its window", variable.name, path_.string());
  if (const ChunkedImage* image = chunked_image(variable)) {
    image->read(window, static_cast<std::byte*>(target));
    return;
  }
  const std::array start{window.row, window.column};
  const std::array count{window.height, window.width};
  const NetcdfLock lock;
  check(netcdf().get_part(id_, variable.id, start.data(), count.data(), target), variable.name);
}

}  // namespace plume::data
