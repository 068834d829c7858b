// What the name of a GOES-R ABI file says, e.g.
// OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc.
// Source: GOES-R Product Definition and Users' Guide (PUG), volume 5, appendix A.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ratio>
#include <string>
#include <string_view>

namespace plume::data::abi {

// Names give times to a tenth of a second, UTC.
using Time = std::chrono::sys_time<std::chrono::duration<std::int64_t, std::deci>>;

struct FileName {
  std::string environment;  // "OR": operational, real time
  std::string product;      // level and product without the sector: "L1b-Rad", "L2-CMIP", "L2-FDC"
  std::string sector;       // "F" full disk, "C" CONUS (PACUS), "M1" or "M2" mesoscale
  int mode = 0;             // of scanning: 3, 4 or 6
  int channel = 0;          // 1..16; 0 where the product has none
  int satellite = 0;        // 16..19
  Time start;
  Time end;
  Time created;
  bool operator==(const FileName&) const = default;
};

// The path's folders are passed over. Throws input_error, naming the part that is wrong.
[[nodiscard]] FileName parse_file_name(const std::filesystem::path& path);

// Whether a name is meant to be one: ??_ABI-*.nc.
[[nodiscard]] bool is_abi_name(const std::filesystem::path& path);

// "2019-10-27T20:00:27.5Z".
[[nodiscard]] std::string text_of(Time time);

// "20193002000275", YYYYDDDHHMMSSs as names have it: year, day of the year, hour, minute, second and its tenth.
[[nodiscard]] std::string stamp_of(Time time);
// The time of such a stamp; none for any other text and for a time that no clock shows.
[[nodiscard]] std::optional<Time> time_of_stamp(std::string_view stamp);

}  // namespace plume::data::abi
