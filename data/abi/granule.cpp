// Since pixels have 16 bits, unpacking and calibration are tables that each pixel is looked up in.
#include "data/abi/granule.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "data/formats/netcdf.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::abi {
namespace {

constexpr std::size_t table_size = std::size_t{1} << 16;
constexpr std::size_t full_disk = 21696;  // pixels of C02's full disk along an axis, the largest that there is
constexpr std::size_t largest_chunk = std::size_t{1} << 28;  // values
constexpr auto missing = std::numeric_limits<float>::quiet_NaN();

// The variable that holds each product's image.
const std::map<std::string, std::string> images{{"L1b-Rad", "Rad"}, {"L2-CMIP", "CMI"}, {"L2-FDC", "Mask"}};

std::string image_of(const FileName& name, const std::filesystem::path& path) {
  const auto found = images.find(name.product);
  if (found == images.end())
    throw input_error("{}: {} is no product that plume reads; L1b-Rad, L2-CMIP and L2-FDC are", path.string(),
                      name.product);
  if (name.channel == 0 && name.product != "L2-FDC")
    throw input_error("{}: its name has no channel, as M6C01", path.string());
  return found->second;
}

// Content beats a name, but where they differ the file is not what it is taken for.
void check_identity(const NetcdfFile& file, const FileName& name) {
  const auto satellite = fmt::format("G{}", name.satellite);
  if (const auto platform = file.text(nullptr, "platform_ID"); platform != satellite)
    throw input_error("{}: its platform_ID is '{}', its name says {}", file.path().string(), platform, satellite);
  if (name.channel == 0) return;
  if (const double band = file.scalar("band_id"); band != name.channel)
    throw input_error("{}: its band_id is {}, its name says C{:02}", file.path().string(), band, name.channel);
}

void check_shape(const NetcdfFile& file, const NetcdfVariable& variable, const NetcdfVariable& like) {
  const auto bad = [&](const std::string& why) {
    return input_error("{}: {} {}", file.path().string(), variable.name, why);
  };
  if (variable.shape.size() != 2) throw bad("is not [height, width]");
  for (const std::size_t extent : variable.shape) {
    if (extent < 1 || extent > full_disk)
      throw bad(fmt::format("claims {} x {} pixels; a full disk has at most {} x {}", variable.shape[0],
                            variable.shape[1], full_disk, full_disk));
  }
  std::size_t chunk = 1;
  for (const std::size_t extent : variable.chunk) {
    if (extent < 1 || extent > largest_chunk / chunk) throw bad("claims chunks of more than 2^28 pixels");
    chunk *= extent;
  }
  if (variable.shape != like.shape) throw bad(fmt::format("is not of the size of {}", like.name));
}

geo::Geostationary projection_of(const NetcdfFile& file) {
  const auto variable = file.variable("goes_imager_projection");
  if (const auto sweep = file.text(&variable, "sweep_angle_axis"); sweep != "x")
    throw input_error("{}: the sweep_angle_axis of goes_imager_projection is '{}', which must be x",
                      file.path().string(), sweep);
  geo::Geostationary projection{.height = file.number(variable, "perspective_point_height"),
                                .semi_major = file.number(variable, "semi_major_axis"),
                                .semi_minor = file.number(variable, "semi_minor_axis"),
                                .longitude_of_origin = file.number(variable, "longitude_of_projection_origin")};
  if (!(projection.height > 0 && projection.semi_minor > 0 && projection.semi_major >= projection.semi_minor &&
        std::abs(projection.longitude_of_origin) <= 180))
    throw input_error("{}: goes_imager_projection has numbers that no satellite has", file.path().string());
  return projection;
}

// Scan angles as the ground system packs them, or as floats, which xarray makes of them when it writes a file again.
geo::ScanAxis axis_of(const NetcdfFile& file, const std::string& name, std::size_t count) {
  const auto variable = file.variable(name);
  auto angles = file.values(variable, full_disk);
  const bool packed = variable.type != NC_FLOAT && variable.type != NC_DOUBLE;
  const double scale = packed ? file.number(variable, "scale_factor") : 1;
  const double offset = packed ? file.number(variable, "add_offset") : 0;
  for (double& angle : angles) angle = offset + scale * angle;
  const double step = angles.size() < 2 ? 0 : (angles.back() - angles[0]) / static_cast<double>(angles.size() - 1);
  bool even = angles.size() == count && std::abs(step) > 0;
  for (std::size_t i = 0; even && i < count; ++i)
    even = std::abs(angles[0] + static_cast<double>(i) * step - angles[i]) <= 1e-3 * std::abs(step);
  if (!even) throw input_error("{}: {} is not {} evenly spaced scan angles", file.path().string(), name, count);
  return {angles[0], step, static_cast<int>(count)};
}

Quantity quantity_of(const FileName& name) {
  if (name.channel == 0) return Quantity::fire_mask;
  return name.channel <= reflective_channels ? Quantity::reflectance : Quantity::brightness_temperature;
}

// 0 good, 1 conditionally usable, 2 out of range (yet measured); not 3 no value, 4 focal plane too warm, 255 fill.
bool is_measured(std::uint8_t flag) {
  return flag <= 2;
}

}  // namespace

std::string name_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::radiance: return "radiance";
    case Quantity::reflectance: return "reflectance";
    case Quantity::brightness_temperature: return "brightness temperature";
    case Quantity::fire_mask: return "fire mask";
  }
  throw std::logic_error("a quantity without a name");
}

struct Granule::Content {
  explicit Content(const std::filesystem::path& path) : file(path) {}
  NetcdfFile file;
  NetcdfVariable image{};
  NetcdfVariable flags{};
};

Granule::Granule(const std::filesystem::path& path)
    : content_(std::make_unique<Content>(path)), name_(parse_file_name(path)) {
  auto& [file, image, flags] = *content_;
  const auto image_name = image_of(name_, path);
  check_identity(file, name_);
  image = file.variable(image_name);
  check_shape(file, image, image);
  flags = file.variable("DQF");
  check_shape(file, flags, image);
  grid_ = {projection_of(file), axis_of(file, "x", image.shape[1]), axis_of(file, "y", image.shape[0])};
  quantity_ = quantity_of(name_);
  ExactTable table = unpacked();
  if (name_.product == "L1b-Rad") {
    radiances_.assign(table.begin(), table.end());
    quantity_ == Quantity::reflectance ? to_reflectance(table) : to_brightness_temperature(table);
  }
  values_.assign(table.begin(), table.end());
}

Granule::~Granule() = default;
Granule::Granule(Granule&&) noexcept = default;
Granule& Granule::operator=(Granule&&) noexcept = default;

const std::filesystem::path& Granule::path() const {
  return content_->file.path();
}

PixelWindow Granule::whole() const {
  return {0, 0, content_->image.shape[0], content_->image.shape[1]};
}

// Stored 16 bits to numbers, by CF's attributes; a fire mask's are numbers already.
Granule::ExactTable Granule::unpacked() const {
  const NetcdfFile& file = content_->file;
  const NetcdfVariable& image = content_->image;
  const bool is_unsigned = file.text(&image, "_Unsigned") == "true";
  const auto as_stored = [&](double value) {
    if (!(std::abs(value) < static_cast<double>(table_size)))
      throw input_error("{}: _FillValue or valid_range of {} is {}, beyond 16 bits", path().string(), image.name,
                        value);
    const int number = static_cast<int>(value);
    return is_unsigned ? number & 0xFFFF : number;
  };
  const bool packed = quantity_ != Quantity::fire_mask;
  const double scale = packed ? file.number(image, "scale_factor") : 1;
  const double offset = packed ? file.number(image, "add_offset") : 0;
  const int fill = as_stored(file.number(image, "_FillValue"));
  const auto range = file.numbers(&image, "valid_range");
  const bool ranged = range.size() == 2;
  const int least = ranged ? as_stored(range[0]) : std::numeric_limits<int>::min();
  const int most = ranged ? as_stored(range[1]) : std::numeric_limits<int>::max();
  ExactTable table(table_size);
  for (std::size_t bits = 0; bits < table_size; ++bits) {
    const auto raw = static_cast<std::uint16_t>(bits);
    const int stored = is_unsigned ? raw : static_cast<std::int16_t>(raw);
    const bool measured = stored != fill && stored >= least && stored <= most;
    table[bits] = measured ? stored * scale + offset : missing;
  }
  return table;
}

void Granule::to_reflectance(ExactTable& radiances) const {
  const NetcdfFile& file = content_->file;
  const double kappa0 = file.scalar("kappa0");
  if (!(kappa0 > 0)) throw input_error("{}: kappa0 is {}, which must be positive", path().string(), kappa0);
  for (double& value : radiances) value *= kappa0;
}

// The inverse of Planck's function, corrected for the width of the band. Radiances at or below 0 have no temperature.
void Granule::to_brightness_temperature(ExactTable& radiances) const {
  const NetcdfFile& file = content_->file;
  const double fk1 = file.scalar("planck_fk1");
  const double fk2 = file.scalar("planck_fk2");
  const double bc1 = file.scalar("planck_bc1");
  const double bc2 = file.scalar("planck_bc2");
  if (!(fk1 > 0 && fk2 > 0 && bc2 > 0))
    throw input_error("{}: planck_fk1, planck_fk2 and planck_bc2 are {}, {} and {}, which must be positive",
                      path().string(), fk1, fk2, bc2);
  for (double& value : radiances) value = value > 0 ? (fk2 / std::log(fk1 / value + 1) - bc1) / bc2 : missing;
}

std::vector<float> Granule::read_radiance(const PixelWindow& window) const {
  if (radiances_.empty()) throw std::logic_error("only L1b files hold radiances");
  return read(window, radiances_);
}

std::vector<float> Granule::read(const PixelWindow& window, const Table& table) const {
  const auto& [file, image, flags] = *content_;
  const std::size_t pixels = window.pixels();
  std::vector<std::uint16_t> stored(pixels);
  file.read(image, window, stored.data());
  std::vector<float> values(pixels);
  for (std::size_t i = 0; i < pixels; ++i) values[i] = table[stored[i]];
  if (quantity_ == Quantity::fire_mask) return values;
  std::vector<std::uint8_t> quality(pixels);
  file.read(flags, window, quality.data());
  for (std::size_t i = 0; i < pixels; ++i) {
    if (!is_measured(quality[i])) values[i] = missing;
  }
  return values;
}

}  // namespace plume::data::abi
