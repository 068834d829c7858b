// plume cloud teardown: removes an endpoint and what belongs to it, and looks whether it has gone.
#include "unet/commands/cloud_teardown.hpp"

#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cloud/sagemaker/autoscaling.hpp"
#include "cloud/sagemaker/deploy.hpp"
#include "cloud/sagemaker/plan.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

cloud::TeardownOptions options_of(const TeardownArguments& arguments) {
  return {.config = arguments.config || arguments.all,
          .models = arguments.model || arguments.all,
          .waiting = wait_options(arguments.waiting),
          .tell = tell};
}

// All objects of the model: one archive, or what lies in a folder.
void remove_data(cloud::S3& s3, const std::string& model) {
  const cloud::ObjectName name = cloud::parse_object_name(model);
  if (!name.key.ends_with('/')) {
    s3.remove(name);
    return;
  }
  while (true) {
    std::vector<std::string> keys;
    for (const cloud::ListedObject& object : s3.list(name.bucket, name.key).objects) keys.push_back(object.key);
    if (keys.empty()) return;
    const auto failed = s3.remove_all(name.bucket, keys);
    if (!failed.empty())
      throw cloud::cloud_error(cloud::Failure::remains, "s3://{}/{}: {}", name.bucket, failed[0].first,
                               failed[0].second);
  }
}

// Machines that autoscaling would want back are none of its any more.
void stop_scaling(cloud::Session& session, cloud::SageMaker& sagemaker, const std::string& endpoint) {
  const auto state = sagemaker.find_endpoint(endpoint);
  if (!state) return;
  cloud::AutoScaling scaling(session.client(), session.endpoint(cloud::application_autoscaling));
  for (const cloud::VariantState& variant : state->variants) {
    try {
      scaling.remove(endpoint, variant.name);
    } catch (const cloud::Error& error) {  // who never asked for it may not be allowed to
      if (error.failure() != cloud::Failure::credentials) throw;
    }
  }
}

void report(const TeardownArguments& arguments, const std::string& what, const std::string& kind,
            const std::string& name) {
  if (arguments.cloud.json) {
    fmt::print("{}\n", Json{{"outcome", what}, {"kind", kind}, {"name", name}}.dump());
  } else {
    fmt::print("{} {} {}\n", kind, name, what);
  }
}

bool tear_down(const TeardownArguments& arguments, cloud::Session& session, const std::string& endpoint) {
  cloud::SageMaker sagemaker = open_sagemaker(session);
  cloud::Journal journal = open_journal(session, arguments.journal, endpoint);
  const cloud::TeardownOptions options = options_of(arguments);
  const auto resources = cloud::find_resources(sagemaker, endpoint, journal, options);
  if (resources.empty()) throw cloud::cloud_error(cloud::Failure::not_found, "endpoint {} does not exist", endpoint);
  std::string names;
  for (const cloud::Resource& resource : resources)
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", cloud::name_of(resource.kind), resource.name);
  confirm(arguments.yes, fmt::format("This removes {}.", names));
  stop_scaling(session, sagemaker, endpoint);
  const cloud::TeardownResult result = cloud::teardown(sagemaker, resources, journal, options);
  bool clean = result.remains.empty();
  for (const cloud::Resource& resource : result.removed)
    report(arguments, "removed", std::string(cloud::name_of(resource.kind)), resource.name);
  for (const cloud::Resource& resource : result.remains)
    report(arguments, "remains", std::string(cloud::name_of(resource.kind)), resource.name);
  if (!arguments.s3 && !arguments.all) return clean;
  std::optional<std::vector<cloud::ModelData>> others;
  for (const std::string& data : result.model_data) {
    try {
      if (!others) others = cloud::data_of_models(sagemaker);
      if (const cloud::ModelData* user = cloud::user_of(data, *others)) {
        tell(fmt::format("{} is kept: it is model {}'s too", data, user->model));
        report(arguments, "kept", "model data", data);
        continue;
      }
      remove_data(*session.s3(), data);
      report(arguments, "removed", "model data", data);
    } catch (const cloud::Error& error) {
      tell(fmt::format("{} remains: {}", data, error.what()));
      report(arguments, "remains", "model data", data);
      clean = false;
    }
  }
  return clean;
}

std::vector<std::string> endpoints_of_run(cloud::Session& session, const std::string& run) {
  cloud::SageMaker sagemaker = open_sagemaker(session);
  std::vector<std::string> names;
  for (const cloud::EndpointState& endpoint : sagemaker.list_endpoints()) {
    const auto tags = sagemaker.tags(endpoint.arn);
    const auto found = tags.find(cloud::run_tag);
    if (found != tags.end() && found->second == run) names.push_back(endpoint.name);
  }
  if (names.empty()) throw cloud::cloud_error(cloud::Failure::not_found, "no endpoint has the tag plume-run={}", run);
  return names;
}

// By the journal alone: nothing is asked.
int print_plan(const TeardownArguments& arguments) {
  if (arguments.endpoint.empty()) throw usage_error("--dry-run asks nobody, so it cannot find a run: name an endpoint");
  const auto session = open_session(arguments.cloud);
  const cloud::TeardownOptions options = options_of(arguments);
  report(arguments, "would be removed", "endpoint", arguments.endpoint);
  for (const cloud::Resource& resource : open_journal(*session, arguments.journal, arguments.endpoint).left()) {
    const bool model = resource.kind == cloud::ResourceKind::model;
    if (resource.kind != cloud::ResourceKind::endpoint && (model ? options.models : options.config))
      report(arguments, "would be removed", std::string(cloud::name_of(resource.kind)), resource.name);
  }
  return 0;
}

}  // namespace

int run_teardown(const TeardownArguments& arguments) {
  StopSignal signals;
  signals.outlive_terminal();
  if (arguments.endpoint.empty() == arguments.run.empty())
    throw usage_error("an endpoint's name or --run, one of them");
  if (!arguments.endpoint.empty()) cloud::check_endpoint_name(arguments.endpoint);
  if (arguments.dry_run) return print_plan(arguments);
  const auto session = open_session(arguments.cloud);
  const std::vector<std::string> endpoints =
      arguments.run.empty() ? std::vector{arguments.endpoint} : endpoints_of_run(*session, arguments.run);
  bool clean = true;
  for (const std::string& endpoint : endpoints) clean &= tear_down(arguments, *session, endpoint);
  if (!clean) throw cloud::cloud_error(cloud::Failure::remains, "something remains, and may cost: see above");
  return 0;
}

void add_cloud_teardown_command(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<TeardownArguments>();
  CLI::App* app = cloud_app.add_subcommand("teardown", "Removes an endpoint, and looks whether it has gone");
  app->add_option("name", arguments->endpoint, "Of the endpoint");
  app->add_option("--run", arguments->run, "All endpoints of a run, by the tag plume-run");
  app->add_flag("--config", arguments->config, "Also the endpoint's configuration");
  app->add_flag("--model", arguments->model, "Also the models that it runs");
  app->add_flag("--s3", arguments->s3, "Also the data on S3 of models that are removed");
  app->add_flag("--all", arguments->all, "All of these");
  app->add_option("--journal", arguments->journal, "As deploy's");
  app->add_flag("--yes", arguments->yes, "Do not ask");
  app->add_flag("--dry-run", arguments->dry_run, "Only say what would go, by the journal; nothing is sent");
  add_wait_options(*app, arguments->waiting);
  add_cloud_options(*app, arguments->cloud);
  app->footer("Example: plume cloud teardown smoke --all --yes");
  app->callback([arguments, &action] { action = [arguments] { return run_teardown(*arguments); }; });
}

}  // namespace plume::unet
