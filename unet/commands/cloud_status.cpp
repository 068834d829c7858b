// plume cloud status, wait and list: what there is, and what it costs.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cloud/sagemaker/deploy.hpp"
#include "cloud/sagemaker/prices.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  CloudOptions cloud;
  std::string endpoint;
  std::string contains;
  bool mine = false;
  WaitSettings waiting;
};

// What the endpoint says of its variants' numbers, and its configuration of their machines.
std::vector<cloud::VariantState> variants(cloud::SageMaker& sagemaker, const cloud::EndpointState& endpoint) {
  const auto config = sagemaker.find_config(endpoint.config);
  std::vector<cloud::VariantState> variants = config ? cloud::variants_of(*config) : std::vector<cloud::VariantState>();
  for (cloud::VariantState& variant : variants)
    for (const cloud::VariantState& now : endpoint.variants)
      if (now.name == variant.name && now.serverless_memory == 0 && now.desired_count > 0) {
        variant.current_count = now.current_count;
        variant.desired_count = now.desired_count;
      }
  return variants;
}

std::string machines(const std::vector<cloud::VariantState>& variants) {
  std::string text;
  for (const cloud::VariantState& variant : variants) {
    if (!text.empty()) text += ", ";
    text += variant.serverless_memory > 0 ? fmt::format("serverless {} MiB", variant.serverless_memory)
                                          : fmt::format("{} x {}", variant.current_count, variant.instance);
  }
  return text;
}

Json document(const cloud::EndpointState& endpoint, const std::vector<cloud::VariantState>& variants, cloud::Time now) {
  const auto cost = cloud::hourly_cost(variants);
  Json document{{"endpoint", endpoint.name},
                {"status", endpoint.status},
                {"arn", endpoint.arn},
                {"config", endpoint.config},
                {"machines", machines(variants)},
                {"age_seconds", (now - endpoint.created).count()},
                {"cost_per_hour", cost ? Json(*cost) : Json()},
                {"prices_of", cloud::prices_are_of}};
  if (!endpoint.failure_reason.empty()) document["failure_reason"] = endpoint.failure_reason;
  return document;
}

void print(const CloudOptions& options, const cloud::EndpointState& endpoint,
           const std::vector<cloud::VariantState>& variants, cloud::Time now) {
  if (options.json) {
    fmt::print("{}\n", document(endpoint, variants, now).dump());
    return;
  }
  fmt::print("{}: {}, {}, {} old, {}\n", endpoint.name, endpoint.status, machines(variants),
             duration_text(now - endpoint.created), cloud::cost_text(variants));
  if (!endpoint.failure_reason.empty()) fmt::print("{}: {}\n", endpoint.name, endpoint.failure_reason);
}

int run_status(const Arguments& arguments) {
  const auto session = open_session(arguments.cloud);
  cloud::SageMaker sagemaker = open_sagemaker(*session);
  const auto endpoint = sagemaker.find_endpoint(arguments.endpoint);
  if (!endpoint) throw cloud::cloud_error(cloud::Failure::not_found, "endpoint {} does not exist", arguments.endpoint);
  print(arguments.cloud, *endpoint, variants(sagemaker, *endpoint), session->clock().now());
  return 0;
}

int run_wait(const Arguments& arguments) {
  const StopSignal signals;
  const auto session = open_session(arguments.cloud);
  cloud::SageMaker sagemaker = open_sagemaker(*session);
  const cloud::EndpointState endpoint =
      cloud::wait_in_service(sagemaker, arguments.endpoint, wait_options(arguments.waiting));
  print(arguments.cloud, endpoint, variants(sagemaker, endpoint), session->clock().now());
  return 0;
}

int run_list(const Arguments& arguments) {
  const auto session = open_session(arguments.cloud);
  cloud::SageMaker sagemaker = open_sagemaker(*session);
  for (const cloud::EndpointState& listed : sagemaker.list_endpoints(arguments.contains)) {
    if (arguments.mine && !sagemaker.tags(listed.arn).contains(cloud::run_tag)) continue;
    const auto endpoint = sagemaker.find_endpoint(listed.name);
    if (endpoint) print(arguments.cloud, *endpoint, variants(sagemaker, *endpoint), session->clock().now());
  }
  return 0;
}

}  // namespace

void add_cloud_status_commands(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* help, int (*run)(const Arguments&)) {
    CLI::App* app = cloud_app.add_subcommand(name, help);
    add_cloud_options(*app, arguments->cloud);
    app->callback([arguments, run, &action] { action = [arguments, run] { return run(*arguments); }; });
    return app;
  };
  const auto add_named = [&](const char* name, const char* help, int (*run)(const Arguments&)) {
    CLI::App* app = add(name, help, run);
    app->add_option("name", arguments->endpoint, "Of the endpoint")->required();
    return app;
  };
  add_named("status", "Says how an endpoint is", run_status)->footer("Example: plume cloud status smoke --json");
  CLI::App* wait = add_named("wait", "Waits until an endpoint is in service", run_wait);
  add_wait_options(*wait, arguments->waiting);
  wait->footer("Example: plume cloud wait smoke --timeout 1800");
  CLI::App* list = add("list", "Lists endpoints, with their age and cost", run_list);
  list->add_option("--contains", arguments->contains, "Only those whose name contains this");
  list->add_flag("--mine", arguments->mine, "Only those that plume has made");
  list->footer("Example: plume cloud list --mine");
}

}  // namespace plume::unet
