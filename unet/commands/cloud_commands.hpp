// The commands below `plume cloud`.
#pragma once

#include "unet/command.hpp"

namespace plume::unet {

void add_cloud_push_command(CLI::App& cloud_app, Action& action);
void add_cloud_deploy_command(CLI::App& cloud_app, Action& action);
void add_cloud_status_commands(CLI::App& cloud_app, Action& action);  // status, wait, list
void add_cloud_logs_command(CLI::App& cloud_app, Action& action);
void add_cloud_invoke_command(CLI::App& cloud_app, Action& action);
void add_cloud_teardown_command(CLI::App& cloud_app, Action& action);
void add_cloud_doctor_command(CLI::App& cloud_app, Action& action);
void add_cloud_api_commands(CLI::App& cloud_app, Action& action);  // create, delete

}  // namespace plume::unet
