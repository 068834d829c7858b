// plume cloud
#include "unet/commands/cloud_commands.hpp"

namespace plume::unet {

void add_cloud_commands(CLI::App& app, Action& action) {
  CLI::App* cloud_app = app.add_subcommand("cloud", "Puts models on S3 and hosts them on SageMaker");
  cloud_app->require_subcommand(1);
  add_cloud_push_command(*cloud_app, action);
  add_cloud_deploy_command(*cloud_app, action);
  add_cloud_status_commands(*cloud_app, action);
  add_cloud_logs_command(*cloud_app, action);
  add_cloud_invoke_command(*cloud_app, action);
  add_cloud_teardown_command(*cloud_app, action);
  add_cloud_api_commands(*cloud_app, action);
  add_cloud_doctor_command(*cloud_app, action);
}

}  // namespace plume::unet
