// plume cloud api: a public address for an endpoint.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cloud/api/create.hpp"
#include "cloud/endpoints/arn.hpp"
#include "cloud/identity.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  CloudOptions cloud;
  cloud::ApiSettings api;
  std::string function;
  std::vector<std::string> tags;
  double poll = 2;
  bool yes = false;
  bool foreign = false;
  bool dry_run = false;
};

cloud::ApiSettings settings_of(const Arguments& arguments) {
  cloud::ApiSettings settings = arguments.api;
  if (!arguments.function.empty()) {
    const MappedFile file(arguments.function);
    if (file.bytes().empty()) throw input_error("{}: is empty", arguments.function);
    settings.archive.assign(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  }
  settings.tags = parse_pairs("--tag", arguments.tags);
  settings.tags["plume-endpoint"] = settings.endpoint;
  return settings;
}

cloud::ApiServices open_services(cloud::Session& session) {
  return {cloud::Functions(session.client(), session.endpoint(cloud::lambda)),
          cloud::ApiGateway(session.client(), session.endpoint(cloud::api_gateway)),
          cloud::Logs(session.client(), session.endpoint(cloud::cloudwatch_logs))};
}

// Lambda would say so too, less clearly. Who may not look at roles is not kept from using one.
void check_role(cloud::Session& session, const std::string& role) {
  try {
    if (!role_serves(session.client(), iam_endpoint(session), cloud::parse_arn(role)->resource.back(),
                     "lambda.amazonaws.com"))
      throw cloud::cloud_error(cloud::Failure::usage,
                               "{}: Lambda may not take it on: its trust policy must allow sts:AssumeRole to "
                               "lambda.amazonaws.com",
                               role);
  } catch (const cloud::Error& error) {
    if (error.code() != "AccessDenied") throw;
  }
}

int run_create(const Arguments& arguments) {
  StopSignal signals;
  signals.outlive_terminal();
  cloud::ApiSettings settings = settings_of(arguments);
  const auto plan = cloud::api_plan(settings);
  if (arguments.dry_run) {
    for (const auto& [operation, document] : plan)
      arguments.cloud.json ? fmt::print("{}\n", Json{{"would_call", operation}, {"input", document}}.dump())
                           : fmt::print("{}\n{}\n", operation, document.dump(2));
    return 0;
  }
  const auto session = open_session(arguments.cloud);
  check_role(*session, settings.role);
  cloud::SageMaker sagemaker = open_sagemaker(*session);
  if (!sagemaker.find_endpoint(settings.endpoint))
    throw cloud::cloud_error(cloud::Failure::not_found, "endpoint {} does not exist", settings.endpoint);
  cloud::ApiServices services = open_services(*session);
  settings.run = new_run(session->clock());
  const std::string url = cloud::create_api(
      services, settings, {.poll = std::chrono::milliseconds(static_cast<long>(arguments.poll * 1000)), .tell = tell});
  const std::string curl = fmt::format(
      "curl -H 'Content-Type: application/json' -d '{{\"bucket\": \"BUCKET\", \"file_name\": \"KEY\"}}' {}", url);
  const std::string teardown =
      fmt::format("plume cloud api delete {} --yes{}", settings.name, same_place(arguments.cloud, session->region()));
  if (arguments.cloud.json) {
    fmt::print("{}\n", Json{{"api", settings.name}, {"url", url}, {"curl", curl}, {"teardown", teardown}}.dump());
  } else {
    fmt::print("{}\n{}\nIt costs by the request, and anybody may ask; to end that: {}\n", url, curl, teardown);
  }
  return 0;
}

int run_delete(const Arguments& arguments) {
  StopSignal signals;
  signals.outlive_terminal();
  const auto session = open_session(arguments.cloud);
  confirm(arguments.yes, fmt::format("This removes API and function {}.", arguments.api.name));
  cloud::ApiServices services = open_services(*session);
  for (const std::string& what : cloud::delete_api(services, arguments.api.name, arguments.foreign)) {
    if (arguments.cloud.json) {
      fmt::print("{}\n", Json{{"outcome", "removed"}, {"name", what}}.dump());
    } else {
      fmt::print("{} removed\n", what);
    }
  }
  return 0;
}

void add_create(CLI::App& api_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  cloud::ApiSettings& api = arguments->api;
  CLI::App* app = api_app.add_subcommand("create", "Makes a function and an HTTP API in front of an endpoint");
  app->add_option("name", api.name, "Of function and API")->required();
  app->add_option("--endpoint", api.endpoint, "That the function asks")->required();
  app->add_option("--role", api.role, "ARN of the role that the function has: to invoke the endpoint, to read images")
      ->required();
  CLI::Option* archive =
      app->add_option("--function", arguments->function, "plume-lambda.zip, as make lambda makes it");
  app->add_option("--image", api.image, "In its place: a container image with plume-lambda")->excludes(archive);
  app->add_option("--bucket", api.bucket, "The only one that images may come from; by default any");
  app->add_option("--route", api.route, "Path of the address")->capture_default_str();
  app->add_option("--memory", api.memory, "MiB of the function")->capture_default_str();
  app->add_option("--function-timeout", api.timeout, "Seconds for an answer")->capture_default_str();
  app->add_option("--keep-logs", api.keep_logs, "Days")->capture_default_str();
  app->add_option("--tag", arguments->tags, "NAME=VALUE for all that is made; may be repeated");
  app->add_option("--poll", arguments->poll, "Seconds between two looks")->capture_default_str();
  app->add_flag("--dry-run", arguments->dry_run, "Only print the requests; nothing is sent");
  add_cloud_options(*app, arguments->cloud);
  app->footer(
      "Example: plume cloud api create smoke-api --endpoint smoke --function build-lambda/plume-lambda.zip --role "
      "arn:aws:iam::123456789012:role/plume-lambda");
  app->callback([arguments, &action] { action = [arguments] { return run_create(*arguments); }; });
}

void add_delete(CLI::App& api_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = api_app.add_subcommand("delete", "Removes API, function and its log");
  app->add_option("name", arguments->api.name, "Of function and API")->required();
  app->add_flag("--foreign", arguments->foreign, "Also what has the name, but was not made by plume");
  app->add_flag("--yes", arguments->yes, "Do not ask");
  add_cloud_options(*app, arguments->cloud);
  app->footer("Example: plume cloud api delete smoke-api --yes");
  app->callback([arguments, &action] { action = [arguments] { return run_delete(*arguments); }; });
}

}  // namespace

void add_cloud_api_commands(CLI::App& cloud_app, Action& action) {
  CLI::App* api_app = cloud_app.add_subcommand("api", "Opens an API to an endpoint");
  api_app->require_subcommand(1);
  add_create(*api_app, action);
  add_delete(*api_app, action);
}

}  // namespace plume::unet
