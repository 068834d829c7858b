// Fills the header's text in, then writes what it describes through NetCDF-C.
#include "data/synth/abi_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/abi/file_name.hpp"
#include "data/formats/netcdf.hpp"
#include "data/geo/geostationary.hpp"
#include "data/synth/cdl.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::synth {
namespace {

constexpr char abi_l1b_cdl[] =
#include "abi_l1b_cdl.hpp"
    ;

constexpr std::size_t chunk_edge = 250;
constexpr double microradian = 1e-6;

using Fields = std::map<std::string, std::string>;

// Counts as a band's detector gives them, and what a header says of them.
struct Packed {
  std::vector<std::uint16_t> counts;
  std::size_t saturated = 0;
  double least = 0, greatest = 0, mean = 0, deviation = 0;  // radiance
};

Packed pack(const AbiBand& band, const std::vector<float>& radiance) {
  const auto last = static_cast<float>((1 << band.bits) - 2);
  Packed packed;
  packed.counts.reserve(radiance.size());
  double sum = 0;
  double squares = 0;
  std::uint16_t low = std::numeric_limits<std::uint16_t>::max();
  std::uint16_t high = 0;
  for (const float value : radiance) {
    const float exact = std::round((value - band.offset) / band.scale);
    packed.saturated += exact >= last ? 1 : 0;
    const auto count = static_cast<std::uint16_t>(std::clamp(exact, 0.0F, last));
    packed.counts.push_back(count);
    low = std::min(low, count);
    high = std::max(high, count);
    const double stored = double{band.scale} * count + double{band.offset};
    sum += stored;
    squares += stored * stored;
  }
  const auto count = static_cast<double>(radiance.size());
  packed.least = double{band.scale} * low + double{band.offset};
  packed.greatest = double{band.scale} * high + double{band.offset};
  packed.mean = sum / count;
  packed.deviation = std::sqrt(std::max(0.0, squares / count - packed.mean * packed.mean));
  return packed;
}

// The least and greatest longitude and latitude of a sector, which its edge has.
struct Extent {
  double west = 180, east = -180, south = 90, north = -90;
};

Extent extent_of(const AbiScene& scene) {
  Extent extent;
  const geo::Geostationary satellite = goes_west();
  const auto see = [&](int x, int y) {
    const auto place = satellite.place({microradian * (scene.west + x), microradian * (scene.north - y)});
    extent.west = std::min(extent.west, place.longitude);
    extent.east = std::max(extent.east, place.longitude);
    extent.south = std::min(extent.south, place.latitude);
    extent.north = std::max(extent.north, place.latitude);
  };
  for (int along = 0; along <= sector_width; along += 56) {
    see(along, 0);
    see(along, sector_width);
    see(0, along);
    see(sector_width, along);
  }
  return extent;
}

std::string uuid(std::uint64_t id, int band) {
  const std::uint64_t tail = id * 0x9E3779B97F4A7C15U + static_cast<std::uint64_t>(band);
  return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", id >> 32 & 0xFFFFFFFFU, id >> 16 & 0xFFFFU, id & 0xFFFU,
                     tail >> 48 & 0xFFFU, tail & 0xFFFFFFFFFFFFU);
}

// What the header's text leaves open.
struct Times {
  abi::Time start, end, created;
  explicit Times(abi::Time scene_start)
      : start(scene_start), end(start + abi::Time::duration(57)), created(end + abi::Time::duration(46)) {}
};

double seconds_of(abi::Time time) {
  using namespace std::chrono;
  constexpr sys_seconds epoch = sys_days(year{2000} / January / 1) + hours(12);
  return duration<double>(time - epoch).count();
}

std::string name_of(const AbiBand& band, const Times& times) {
  return fmt::format("OR_ABI-L1b-RadM1-M6C{:02}_G17_s{}_e{}_c{}", band.band, abi::stamp_of(times.start),
                     abi::stamp_of(times.end), abi::stamp_of(times.created));
}

Fields fields_of(const AbiScene& scene, const AbiBand& band, const Packed& packed, std::uint64_t id) {
  const bool reflective = band.kappa0 > 0;
  const int fill = (1 << band.bits) - 1;
  const double half = 0.5 * band.step;
  const Times times(scene.start);
  const Extent extent = extent_of(scene);
  const auto angle = [](double value) { return fmt::format("{:.6f}", microradian * value); };
  const auto number = [](auto value) { return fmt::format("{}", value); };
  const auto single = [](double value) { return fmt::format("{}", static_cast<float>(value)); };
  const auto or_none = [](auto value) { return value == 0 ? std::string("_") : fmt::format("{}", value); };
  const double share = static_cast<double>(packed.saturated) / static_cast<double>(packed.counts.size());
  return {
      {"name", name_of(band, times)},
      {"size", number(size_of(band))},
      {"fill", number(fill)},
      {"last", number(fill - 1)},
      {"bits", number(band.bits)},
      {"scale", number(band.scale)},
      {"offset", number(band.offset)},
      {"greatest", number(band.greatest)},
      {"quantity", fmt::format("toa_outgoing_radiance_per_unit_{}", reflective ? "wavelength" : "wavenumber")},
      {"units", reflective ? "W m-2 sr-1 um-1" : "mW m-2 sr-1 (cm-1)-1"},
      {"kind", reflective ? "reflective" : "emissive"},
      {"kinds", reflective ? "visible and near-IR" : "IR"},
      {"keyword", reflective ? "VISIBLE" : "INFRARED"},
      {"step", angle(band.step)},
      {"west", angle(scene.west + half)},
      {"north", angle(scene.north - half)},
      {"resolution", band.step == 14   ? "0.5km"
                     : band.step == 28 ? "1km"
                                       : "2km"},
      {"start", abi::text_of(times.start)},
      {"end", abi::text_of(times.end)},
      {"created", abi::text_of(times.created)},
      {"start_code", abi::stamp_of(times.start)},
      {"end_code", abi::stamp_of(times.end)},
      {"start_seconds", number(seconds_of(times.start))},
      {"middle_seconds", number((seconds_of(times.start) + seconds_of(times.end)) / 2)},
      {"end_seconds", number(seconds_of(times.end))},
      {"id", uuid(id, band.band)},
      {"west_longitude", single(extent.west)},
      {"east_longitude", single(extent.east)},
      {"south_latitude", single(extent.south)},
      {"north_latitude", single(extent.north)},
      {"center_longitude", single((extent.west + extent.east) / 2)},
      {"center_latitude", single((extent.south + extent.north) / 2)},
      {"x_west", angle(scene.west)},
      {"x_center", angle(scene.west + 0.5 * sector_width)},
      {"x_east", angle(scene.west + sector_width)},
      {"y_north", angle(scene.north)},
      {"y_center", angle(scene.north - 0.5 * sector_width)},
      {"y_south", angle(scene.north - sector_width)},
      {"good", single(1 - share)},
      {"out_of_range", single(share)},
      {"band", number(band.band)},
      {"wavelength", number(band.wavelength)},
      {"esun", or_none(band.esun)},
      {"kappa0", or_none(band.kappa0)},
      {"fk1", or_none(band.planck[0])},
      {"fk2", or_none(band.planck[1])},
      {"bc1", or_none(band.planck[2])},
      {"bc2", or_none(band.planck[3])},
      {"valid_count", number(packed.counts.size())},
      {"missing_count", "0"},
      {"saturated_count", number(packed.saturated)},
      {"least_radiance", number(packed.least)},
      {"greatest_radiance", number(packed.greatest)},
      {"mean_radiance", number(packed.mean)},
      {"std_radiance", number(packed.deviation)},
  };
}

std::string filled_in(std::string_view text, const Fields& fields) {
  std::string result;
  while (!text.empty()) {
    const auto open = text.find('{');
    const auto close = text.find('}', open == std::string_view::npos ? 0 : open);
    const auto found = open == std::string_view::npos || close == std::string_view::npos
                           ? fields.end()
                           : fields.find(std::string(text.substr(open + 1, close - open - 1)));
    if (found == fields.end()) {  // the braces about the whole
      const auto past = open == std::string_view::npos ? text.size() : open + 1;
      result += text.substr(0, past);
      text.remove_prefix(past);
      continue;
    }
    result += text.substr(0, open);
    result += found->second;
    text.remove_prefix(close + 1);
  }
  return result;
}

nc_type netcdf_type_of(CdlType type) {
  switch (type) {
    case CdlType::text: return NC_CHAR;
    case CdlType::i8: return NC_BYTE;
    case CdlType::i16: return NC_SHORT;
    case CdlType::i32: return NC_INT;
    case CdlType::f32: return NC_FLOAT;
    case CdlType::f64: break;
  }
  return NC_DOUBLE;
}

// body(a value of the type)
template <class Body>
void with_value(CdlType type, const Body& body) {
  switch (type) {
    case CdlType::text: throw std::logic_error("text is no number");
    case CdlType::i8: return body(std::int8_t{});
    case CdlType::i16: return body(std::int16_t{});
    case CdlType::i32: return body(std::int32_t{});
    case CdlType::f32: return body(float{});
    case CdlType::f64: return body(double{});
  }
}

// A netCDF file as CDL describes it, in the making.
class Writer {
 public:
  Writer(const AtomicFile& file, const Cdl& cdl) : file_(file), cdl_(cdl) {
    check(netcdf().create(file.temporary().c_str(), NC_NETCDF4 | NC_CLOBBER, &id_));
  }
  ~Writer() {
    if (id_ >= 0) netcdf().abort(id_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void define() {
    for (const auto& [name, size] : cdl_.dimensions) {
      check(netcdf().define_dimension(id_, name.c_str(), size, &dimensions_[name]));
    }
    for (const CdlVariable& variable : cdl_.variables) define(variable);
    for (const auto& [name, values] : cdl_.attributes) put_attribute(NC_GLOBAL, name, values);
    check(netcdf().end_definitions(id_));
  }

  void put_data() {
    for (const CdlVariable& variable : cdl_.variables) {
      const auto& data = variable.data;
      if (data.empty() || std::isnan(data.front())) continue;  // stays at its fill value
      with_value(variable.type, [&](auto value) {
        const std::vector<decltype(value)> typed(data.begin(), data.end());
        put(variable.name, typed.data());
      });
    }
  }

  void put(const std::string& name, const void* values) { check(netcdf().put(id_, variables_.at(name), values)); }

  void close() { check(netcdf().close(std::exchange(id_, -1))); }

 private:
  void define(const CdlVariable& variable) {
    std::vector<int> dimensions;
    for (const std::string& name : variable.dimensions) dimensions.push_back(dimensions_.at(name));
    int& id = variables_[variable.name];
    check(netcdf().define_variable(id_, variable.name.c_str(), netcdf_type_of(variable.type),
                                   static_cast<int>(dimensions.size()), dimensions.data(), &id));
    if (dimensions.size() == 2) {
      constexpr std::array<std::size_t, 2> chunk{chunk_edge, chunk_edge};
      check(netcdf().define_chunking(id_, id, NC_CHUNKED, chunk.data()));
      check(netcdf().define_deflate(id_, id, 0, 1, 1));
    }
    for (const auto& [name, values] : variable.attributes) put_attribute(id, name, values);
  }

  void put_attribute(int variable, const std::string& name, const CdlValues& values) {
    if (values.type == CdlType::text) {
      check(netcdf().put_attribute_text(id_, variable, name.c_str(), values.text.size(), values.text.c_str()));
      return;
    }
    with_value(values.type, [&](auto value) {
      const std::vector<decltype(value)> typed(values.numbers.begin(), values.numbers.end());
      check(
          netcdf().put_attribute(id_, variable, name.c_str(), netcdf_type_of(values.type), typed.size(), typed.data()));
    });
  }

  void check(int status) const {
    if (status != NC_NOERR)
      throw environment_error("cannot write {}: {}", file_.path().string(), netcdf().error_text(status));
  }

  const AtomicFile& file_;
  const Cdl& cdl_;
  int id_ = -1;
  std::map<std::string, int> dimensions_;
  std::map<std::string, int> variables_;
};

}  // namespace

std::filesystem::path write_abi_file(const std::filesystem::path& folder, const AbiScene& scene, std::size_t band,
                                     std::uint64_t id) {
  const AbiBand& about = drawn_abi_bands()[band];
  const Packed packed = pack(about, scene.radiance[band]);
  const Fields fields = fields_of(scene, about, packed, id);
  const Cdl cdl = parse_cdl(filled_in(abi_l1b_cdl, fields));
  AtomicFile file(folder / (fields.at("name") + ".nc"));
  std::vector<std::int16_t> along(static_cast<std::size_t>(size_of(about)));
  std::iota(along.begin(), along.end(), std::int16_t{0});
  // Out of range is what the sensor could not hold.
  std::vector<std::uint8_t> flags;
  flags.reserve(packed.counts.size());
  const auto last = static_cast<std::uint16_t>((1 << about.bits) - 2);
  for (const std::uint16_t count : packed.counts) flags.push_back(count >= last ? 2 : 0);
  {
    const NetcdfLock lock;
    Writer writer(file, cdl);
    writer.define();
    writer.put_data();
    writer.put("x", along.data());
    writer.put("y", along.data());
    writer.put("Rad", packed.counts.data());
    writer.put("DQF", flags.data());
    writer.close();
  }
  file.commit(Durable::no);
  return file.path();
}

}  // namespace plume::data::synth
