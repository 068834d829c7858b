// Takes the place of cloud.cpp in a build without the libraries that cloud/ stands on.
#include "kernels/base/error.hpp"
#include "unet/command.hpp"

namespace plume::unet {

void add_cloud_commands(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("cloud", "Puts models on S3 and hosts them on SageMaker (not in this build)");
  command->allow_extras();
  command->callback([&action] {
    action = []() -> int {
      throw environment_error(
          "this plume was built without libcurl, OpenSSL or pugixml; install libcurl4-openssl-dev, libssl-dev and "
          "libpugixml-dev and build it again");
    };
  });
}

}  // namespace plume::unet
