// Takes the place of the commands that talk to the cloud in a build without the libraries that cloud/ stands on.
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"

namespace plume::unet {
namespace {

void add_absent(CLI::App& app, Action& action, const char* name, const char* help) {
  CLI::App* command = app.add_subcommand(name, help);
  command->allow_extras();
  command->callback([&action] {
    action = []() -> int {
      throw environment_error(
          "this plume was built without libcurl, OpenSSL or pugixml; install libcurl4-openssl-dev, libssl-dev and "
          "libpugixml-dev and build it again");
    };
  });
}

}  // namespace

void add_cloud_commands(CLI::App& app, Action& action) {
  add_absent(app, action, "cloud", "Puts models on S3 and hosts them on SageMaker (not in this build)");
}

void add_fetch_command(CLI::App& data_app, Action& action) {
  add_absent(data_app, action, "fetch", "Gets ABI files from NOAA's public archive (not in this build)");
}

}  // namespace plume::unet
