// plume cloud
#include <nlohmann/json.hpp>

#include "cloud/http/transport.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/cloud_commands.hpp"

namespace plume::unet {
namespace {

// What nobody below has words for that a user would understand.
Action in_words(Action action) {
  return [action = std::move(action)] {
    try {
      return action();
    } catch (const cloud::TransportError& error) {
      if (error.kind() != cloud::TransportError::Kind::cancelled) throw;
      throw cloud::cloud_error(cloud::Failure::unavailable, "stopped by a signal ({})", error.what());
    } catch (const nlohmann::json::exception& error) {
      constexpr int no_utf8 = 316;
      if (error.id == no_utf8) throw usage_error("a name or value of the command is no UTF-8 text");
      throw cloud::cloud_error(cloud::Failure::failed, "an answer is not as AWS's are: {}", error.what());
    }
  };
}

}  // namespace

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
  cloud_app->callback([&action] { action = in_words(std::move(action)); });  // after the command's own
}

}  // namespace plume::unet
