// The program `plume-infer`: inference alone, for production. It links nothing that a model in a file does not need.
#include "commands.hpp"
#include "unet/version.hpp"

int main(int argc, char** argv) {
  using namespace plume::unet;
  return run_program("plume-infer",
                     "plume-infer finds wildfire smoke in satellite images with a model that plume made.", version,
                     argc, argv, [](CLI::App& app, Action& action) { infer::add_predict_command(app, action); });
}
