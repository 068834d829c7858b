// Keys are made of what names are made of.
#include "data/abi/archive.hpp"

#include <algorithm>
#include <map>

#include "kernels/base/error.hpp"

namespace plume::data::abi {
namespace {

using namespace std::chrono;

// Product with sector to folder: both mesoscale sectors share one.
const std::map<std::string, std::string>& folders() {
  static const std::map<std::string, std::string> map = [] {
    std::map<std::string, std::string> made;
    for (const auto& [level, product] : {std::pair{"L1b", "Rad"}, {"L2", "CMIP"}, {"L2", "FDC"}})
      for (const std::string sector : {"F", "C", "M1", "M2"})
        made[product + sector] = fmt::format("ABI-{}-{}{}", level, product, sector.front());
    return made;
  }();
  return map;
}

}  // namespace

const std::vector<std::string>& archive_products() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (const auto& [product, folder] : folders()) made.push_back(product);
    return made;
  }();
  return names;
}

std::string archive_bucket(int satellite) {
  return fmt::format("noaa-goes{}", satellite);
}

std::vector<std::string> archive_prefixes(const ArchiveQuery& query) {
  const auto found = folders().find(query.product);
  if (found == folders().end()) throw input_error("{} is none of NOAA's products that plume reads", query.product);
  const std::string& folder = found->second;
  const std::string level = folder.substr(0, folder.rfind('-'));
  std::vector<std::string> prefixes;
  for (auto hour = floor<hours>(query.first); hour < query.end; hour += hours(1)) {
    const auto day = floor<days>(hour);
    const auto year = year_month_day(day).year();
    prefixes.push_back(fmt::format("{}/{:04}/{:03}/{:02}/OR_{}-{}-", folder, static_cast<int>(year),
                                   (day - sys_days(year / January / 1)).count() + 1, (hour - day).count(), level,
                                   query.product));
  }
  return prefixes;
}

bool is_asked_for(const ArchiveQuery& query, std::string_view key) {
  const std::filesystem::path path(key);
  if (!is_abi_name(path)) return false;
  FileName name;
  try {
    name = parse_file_name(path);
  } catch (const Error&) {  // nothing that plume could read
    return false;
  }
  const bool channel = name.channel == 0 ||
                       std::find(query.channels.begin(), query.channels.end(), name.channel) != query.channels.end();
  return channel && name.satellite == query.satellite && query.first <= name.start && name.start < query.end;
}

}  // namespace plume::data::abi
