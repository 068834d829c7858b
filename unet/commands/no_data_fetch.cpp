// Takes the place of data_fetch.cpp in a build without the libraries that cloud/ stands on.
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"

namespace plume::unet {

void add_fetch_command(CLI::App& data_app, Action& action) {
  CLI::App* app = data_app.add_subcommand("fetch", "Gets ABI files from NOAA's public archive (not in this build)");
  app->allow_extras();
  app->callback([&action] {
    action = []() -> int {
      throw environment_error(
          "this plume was built without libcurl, OpenSSL or pugixml; install libcurl4-openssl-dev, libssl-dev and "
          "libpugixml-dev and build it again");
    };
  });
}

}  // namespace plume::unet
