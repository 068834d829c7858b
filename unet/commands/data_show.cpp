// Says what a satellite's files are.
#include <fmt/core.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/abi/summary.hpp"
#include "unet/commands/data_commands.hpp"

namespace plume::unet {
namespace {

using data::abi::Granule;
using data::abi::Quantity;
using data::abi::Summary;

struct Arguments {
  std::vector<std::string> files;
  bool json = false;
};

const char* unit_of(const Granule& granule) {
  return granule.quantity() == Quantity::brightness_temperature ? " K" : "";
}

// "38.71 N 122.69 W"; "space" where there is no such place.
std::string text_of(data::geo::LonLat place) {
  if (std::isnan(place.latitude)) return "space";
  return fmt::format("{:.2f} {} {:.2f} {}", std::abs(place.latitude), place.latitude < 0 ? 'S' : 'N',
                     std::abs(place.longitude), place.longitude < 0 ? 'W' : 'E');
}

data::geo::LonLat center_of(const data::geo::FixedGrid& grid) {
  return grid.projection.place(
      {grid.x.first + grid.x.step * (grid.x.count - 1) / 2, grid.y.first + grid.y.step * (grid.y.count - 1) / 2});
}

// Of a pixel straight below the satellite.
double kilometres_of(const data::geo::FixedGrid& grid) {
  return std::abs(grid.x.step) * grid.projection.height / 1000;
}

double missing_share(const Summary& summary) {
  return 1 - static_cast<double>(summary.measured) / static_cast<double>(summary.pixels);
}

void print(const Granule& granule, const Summary& summary) {
  const auto& name = granule.name();
  const auto& grid = granule.grid();
  const std::string channel = name.channel == 0 ? "" : fmt::format(" C{:02}", name.channel);
  fmt::print("{}\n", granule.path().filename().string());
  fmt::print("  {}{}, {}, of G{} {}, {} to {}\n", name.product, channel, name_of(granule.quantity()), name.satellite,
             name.sector, data::abi::text_of(name.start), data::abi::text_of(name.end));
  fmt::print("  {} x {} pixels of {:.1f} km about {}, {:.2f} % not measured\n", grid.y.count, grid.x.count,
             kilometres_of(grid), text_of(center_of(grid)), 100 * missing_share(summary));
  if (granule.quantity() == Quantity::fire_mask) {
    fmt::print("  {} pixels of fire\n", summary.fires);
  } else if (summary.measured > 0) {
    fmt::print("  {:.4g} to {:.4g}{}, mean {:.4g}; the highest at {}\n", summary.least, summary.most, unit_of(granule),
               summary.mean, text_of(summary.place_of_most));
  }
}

// A place that is space is null.
nlohmann::ordered_json to_json(data::geo::LonLat place) {
  if (std::isnan(place.latitude)) return nullptr;
  return {{"longitude", place.longitude}, {"latitude", place.latitude}};
}

nlohmann::ordered_json to_json(const Granule& granule, const Summary& summary) {
  const auto& name = granule.name();
  const auto& grid = granule.grid();
  nlohmann::ordered_json json{{"file", granule.path().string()},
                              {"product", name.product},
                              {"channel", name.channel},
                              {"quantity", name_of(granule.quantity())},
                              {"satellite", name.satellite},
                              {"sector", name.sector},
                              {"start", data::abi::text_of(name.start)},
                              {"end", data::abi::text_of(name.end)},
                              {"height", grid.y.count},
                              {"width", grid.x.count},
                              {"pixel_km", kilometres_of(grid)},
                              {"center", to_json(center_of(grid))},
                              {"missing_share", missing_share(summary)}};
  if (granule.quantity() == Quantity::fire_mask) {
    json["fires"] = summary.fires;
  } else if (summary.measured > 0) {
    json["least"] = summary.least;
    json["most"] = summary.most;
    json["mean"] = summary.mean;
    json["place_of_most"] = to_json(summary.place_of_most);
  }
  return json;
}

int run_show(const Arguments& arguments) {
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const std::string& file : arguments.files) {
    const Granule granule(file);
    const Summary summary = data::abi::summarize(granule);
    if (arguments.json) {
      report.push_back(to_json(granule, summary));
    } else {
      print(granule, summary);
    }
  }
  if (arguments.json) fmt::print("{}\n", report.dump(2));
  return 0;
}

}  // namespace

void add_show_command(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = data_app.add_subcommand("show", "Says what a satellite's files are");
  app->add_option("files", arguments->files, "ABI files (.nc): L1b radiances, L2 CMIP or FDC")->required();
  app->add_flag("--json", arguments->json, "Report as JSON");
  app->footer("Example: plume data show OR_ABI-L1b-RadC-M6C07_G16_*.nc");
  app->callback([arguments, &action] { action = [arguments] { return run_show(*arguments); }; });
}

}  // namespace plume::unet
