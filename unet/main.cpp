// The program `plume`.
#include "unet/cli/program.hpp"
#include "unet/command.hpp"
#include "unet/version.hpp"

int main(int argc, char** argv) {
  using namespace plume::unet;
  return run_program(
      "plume", "plume finds wildfire smoke in satellite images: it packs data, trains U-Nets, evaluates and predicts.",
      version, argc, argv, [](CLI::App& app, Action& action) {
        add_data_commands(app, action);
        add_train_command(app, action);
        add_eval_command(app, action);
        add_predict_command(app, action);
        add_import_commands(app, action);
        add_export_commands(app, action);
        add_doctor_command(app, action);
        add_bench_command(app, action);
        add_quantize_command(app, action);
        add_cloud_commands(app, action);
        add_report_command(app, action);
      });
}
