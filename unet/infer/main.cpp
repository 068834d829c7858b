// The program `plume-infer`: inference alone, for production. It links nothing that a model in a file does not need.
#include "commands.hpp"
#include "unet/version.hpp"

int main(int argc, char** argv) {
  using namespace plume::unet;
  infer::Call call = infer::read_call(argc, argv);
  return run_program(
      "plume-infer", "plume-infer finds wildfire smoke in satellite images with a model that plume made.", version,
      static_cast<int>(call.arguments.size()), call.arguments.data(), [&](CLI::App& app, Action& action) {
        infer::add_predict_command(app, action);
        infer::add_serve_command(app, action, call);
      });
}
