// Writes them through NetCDF-C, as the ground system does.
#include "small_granule.hpp"

#include <numeric>
#include <stdexcept>

#include "data/formats/netcdf.hpp"
#include "kernels/base/error.hpp"

namespace plume::tests {
namespace {

void check(int status) {
  if (status != NC_NOERR) throw std::runtime_error(data::netcdf().error_text(status));
}

class Writer {
 public:
  Writer(const std::filesystem::path& path, const SmallGranule& granule) : granule_(granule) {
    check(data::netcdf().create(path.c_str(), NC_NETCDF4 | NC_CLOBBER, &file_));
  }

  void close() const { check(data::netcdf().close(file_)); }

  [[nodiscard]] int dimension(const char* name, std::size_t length) const {
    int id = 0;
    check(data::netcdf().define_dimension(file_, name, length, &id));
    return id;
  }

  // Null where the granule is to do without it.
  int variable(const std::string& name, nc_type type, const std::vector<int>& dimensions) {
    name_ = name;
    id_ = -1;
    if (granule_.without.contains(name)) return -1;
    const auto rank = static_cast<int>(dimensions.size());
    check(data::netcdf().define_variable(file_, name.c_str(), type, rank, dimensions.data(), &id_));
    return id_;
  }

  // Attributes of the variable defined last, or of the file where none was.
  void text(const std::string& name, const std::string& value) {
    if (has(name)) check(data::netcdf().put_attribute_text(file_, id_, name.c_str(), value.size(), value.data()));
  }
  template <class T>
  void numbers(const std::string& name, const std::vector<T>& values) {
    if (has(name))
      check(
          data::netcdf().put_attribute(file_, id_, name.c_str(), data::netcdf_type<T>(), values.size(), values.data()));
  }

  template <class T>
  void put(int id, const std::vector<T>& values) {
    if (id >= 0) check(data::netcdf().put(file_, id, values.data()));
  }

 private:
  [[nodiscard]] bool has(const std::string& attribute) const {
    return (id_ != -1 || name_.empty()) && !granule_.without.contains(name_ + ":" + attribute);
  }

  const SmallGranule& granule_;
  int file_ = -1;
  std::string name_;
  int id_ = NC_GLOBAL;
};

int define_axis(Writer& writer, const char* name, int dimension, const data::geo::ScanAxis& axis) {
  const int id = writer.variable(name, NC_SHORT, {dimension});
  writer.numbers("scale_factor", std::vector{static_cast<float>(axis.step)});
  writer.numbers("add_offset", std::vector{static_cast<float>(axis.first)});
  return id;
}

int define_image(Writer& writer, const SmallGranule& granule, const std::vector<int>& dimensions) {
  const int id = writer.variable(granule.image, NC_SHORT, dimensions);
  writer.numbers("_FillValue", std::vector{static_cast<std::int16_t>(granule.fill)});
  writer.text("_Unsigned", "true");
  writer.numbers("valid_range", std::vector<std::int16_t>{0, static_cast<std::int16_t>(granule.fill - 1)});
  writer.numbers("scale_factor", std::vector{granule.scale});
  writer.numbers("add_offset", std::vector{granule.offset});
  return id;
}

void define_projection(Writer& writer, const data::geo::Geostationary& projection) {
  writer.variable("goes_imager_projection", NC_INT, {});
  writer.numbers("perspective_point_height", std::vector{projection.height});
  writer.numbers("semi_major_axis", std::vector{projection.semi_major});
  writer.numbers("semi_minor_axis", std::vector{projection.semi_minor});
  writer.numbers("longitude_of_projection_origin", std::vector{projection.longitude_of_origin});
  writer.text("sweep_angle_axis", "x");
}

template <class T>
std::vector<T> counted(int count, int first) {
  std::vector<T> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), static_cast<T>(first));
  return values;
}

}  // namespace

std::string small_name(int channel, const std::string& start) {
  return fmt::format("OR_ABI-L1b-RadM1-M6C{:02}_G17_s{}_e20193002001599_c20193002002000.nc", channel, start);
}

void write_granule(const std::filesystem::path& path, const SmallGranule& granule) {
  const data::NetcdfLock lock;
  Writer writer(path, granule);
  writer.text("platform_ID", granule.platform);
  const auto& [projection, x, y] = granule.grid;
  const bool claims = granule.claimed != 0;
  const int rows = writer.dimension("y", claims ? granule.claimed : static_cast<std::size_t>(y.count));
  const int columns = writer.dimension("x", claims ? granule.claimed : static_cast<std::size_t>(x.count));
  const int image = define_image(writer, granule, {rows, columns});
  const int flags = writer.variable("DQF", NC_BYTE, {rows, columns});
  const int y_angles = define_axis(writer, "y", rows, y);
  const bool floats = !granule.x_angles.empty();
  const int x_angles = floats ? writer.variable("x", NC_FLOAT, {columns}) : define_axis(writer, "x", columns, x);
  define_projection(writer, projection);
  const int band = writer.variable("band_id", NC_BYTE, {writer.dimension("band", 1)});
  writer.put(band, std::vector{static_cast<std::int8_t>(granule.channel)});
  for (const auto& [name, value] : granule.scalars) writer.put(writer.variable(name, NC_FLOAT, {}), std::vector{value});
  if (!claims) {
    const int pixels = x.count * y.count;
    writer.put(image, granule.pixels.empty() ? counted<std::uint16_t>(pixels, 100) : granule.pixels);
    writer.put(flags,
               granule.flags.empty() ? std::vector<std::uint8_t>(static_cast<std::size_t>(pixels)) : granule.flags);
    writer.put(y_angles, counted<std::int16_t>(y.count, 0));
    floats ? writer.put(x_angles, granule.x_angles) : writer.put(x_angles, counted<std::int16_t>(x.count, 0));
  }
  writer.close();
}

}  // namespace plume::tests
