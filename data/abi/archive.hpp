// Where NOAA keeps ABI files for everybody: a bucket of S3 for each satellite, in it a folder for each hour, e.g.
// noaa-goes17/ABI-L1b-RadM/2019/300/20/OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc.
// Source: NOAA Open Data Dissemination, "NOAA Geostationary Operational Environmental Satellites on AWS".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/abi/file_name.hpp"

namespace plume::data::abi {

struct ArchiveQuery {
  int satellite = 16;         // 16..19
  std::string product;        // with its sector, as names have it: RadF, RadC, RadM1, RadM2, CMIPF, ..., FDCC
  std::vector<int> channels;  // 1..16; a product that has none, as FDC, is taken whole
  Time first{};               // scans that start then or later,
  Time end{};                 // and before this
};

// The products that the archive is asked for, which are those that plume reads.
[[nodiscard]] const std::vector<std::string>& archive_products();

[[nodiscard]] std::string archive_bucket(int satellite);

// What the keys of a query's files begin with, one for each hour, in their order. Throws input_error for another
// product than archive_products().
[[nodiscard]] std::vector<std::string> archive_prefixes(const ArchiveQuery& query);

// Whether a key that begins so is one of a query's files; any other name is none.
[[nodiscard]] bool is_asked_for(const ArchiveQuery& query, std::string_view key);

}  // namespace plume::data::abi
