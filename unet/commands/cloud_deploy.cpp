// plume cloud deploy: an endpoint of a model on S3.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cloud/logs.hpp"
#include "cloud/sagemaker/autoscaling.hpp"
#include "cloud/sagemaker/deploy.hpp"
#include "cloud/sagemaker/prices.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"
#include "unet/commands/cloud_teardown.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t log_lines = 20;  // of an endpoint that has failed

struct Arguments {
  CloudOptions cloud;
  cloud::Deployment deployment;
  std::vector<std::string> environment;
  std::vector<std::string> tags;
  std::vector<int> serverless;    // memory, concurrency
  std::vector<double> autoscale;  // least, most, invocations a minute
  int startup_timeout = 600;
  int download_timeout = 600;
  std::string owner;
  std::string journal;
  WaitSettings waiting;
  double max_hours = 0;
  bool update = false;
  bool no_wait = false;
  bool keep_failed = false;
  bool yes = false;
  bool dry_run = false;
};

std::chrono::seconds max_duration(const Arguments& arguments) {
  return std::chrono::seconds(static_cast<long>(arguments.max_hours * 3600));
}

cloud::Deployment deployment_of(const Arguments& arguments) {
  cloud::Deployment deployment = arguments.deployment;
  deployment.environment = parse_pairs("--env", arguments.environment);
  deployment.tags = parse_pairs("--tag", arguments.tags);
  deployment.startup_timeout = std::chrono::seconds(arguments.startup_timeout);
  deployment.download_timeout = std::chrono::seconds(arguments.download_timeout);
  if (!arguments.serverless.empty()) deployment.serverless = {arguments.serverless[0], arguments.serverless[1]};
  if (!arguments.owner.empty()) deployment.tags["plume-owner"] = arguments.owner;
  return deployment;
}

void add_run_tags(cloud::Deployment& deployment, const Arguments& arguments, const cloud::Journal& journal,
                  const cloud::Clock& clock) {
  deployment.tags[cloud::run_tag] = journal.run();
  if (arguments.max_hours > 0)
    deployment.tags["plume-expires"] = cloud::iso_time(clock.now() + max_duration(arguments));
}

std::optional<cloud::ScalingTarget> scaling_of(const Arguments& arguments) {
  if (arguments.autoscale.empty()) return std::nullopt;
  const cloud::ScalingTarget target{arguments.deployment.endpoint, std::string(cloud::variant_name),
                                    static_cast<int>(arguments.autoscale[0]), static_cast<int>(arguments.autoscale[1]),
                                    arguments.autoscale[2]};
  if (target.least < 1 || target.most < target.least || !(target.invocations > 0) || !arguments.serverless.empty())
    throw usage_error("--autoscale: it is LEAST,MOST,PER_MINUTE of machines, with 1 <= LEAST <= MOST, PER_MINUTE > 0");
  return target;
}

void set_scaling(cloud::Session& session, const std::optional<cloud::ScalingTarget>& scaling) {
  if (!scaling) return;
  cloud::AutoScaling(session.client(), session.endpoint(cloud::application_autoscaling)).set(*scaling);
  tell(fmt::format("autoscaling keeps {} to {} machines", scaling->least, scaling->most));
}

void print_plan(const Arguments& arguments, const cloud::Plan& plan) {
  if (arguments.cloud.json) {
    for (const cloud::Step& step : plan.steps)
      fmt::print("{}\n", Json{{"would_call", step.operation}, {"input", step.input}}.dump());
    fmt::print("{}\n", Json{{"cost_per_hour",
                             cloud::hourly_cost(plan.variants) ? Json(*cloud::hourly_cost(plan.variants)) : Json()},
                            {"prices_of", cloud::prices_are_of}}
                           .dump());
    return;
  }
  for (const cloud::Step& step : plan.steps) fmt::print("{}\n{}\n", step.operation, step.input.dump(2));
  fmt::print("With --update, where the endpoint is there, in place of the last:\n{}\n{}\n", plan.update.operation,
             plan.update.input.dump(2));
  fmt::print(
      "Nothing was sent. On failure what was made would be deleted: endpoint {}, endpoint configuration {}, "
      "model {}.\nIt would cost {}.\n",
      plan.endpoint.name, plan.config.name, plan.model.name, cloud::cost_text(plan.variants));
}

// The last of what its containers have written; a help that must not hide the failure itself.
void tell_logs(cloud::Session& session, const std::string& endpoint) {
  try {
    cloud::Logs logs(session.client(), session.endpoint(cloud::cloudwatch_logs));
    const auto lines = logs.last(cloud::endpoint_log_group(endpoint), log_lines);
    if (lines.empty()) tell(fmt::format("{} has written no log", endpoint));
    for (const cloud::LogLine& line : lines) tell(fmt::format("{} | {}", endpoint, line.text));
  } catch (const Error& error) {
    tell(fmt::format("its log cannot be read: {}", error.what()));
  }
}

// SageMaker would say so too, minutes later.
void check_model(cloud::Session& session, const std::string& model) {
  if (model.ends_with('/')) return;
  try {
    if (!session.s3()->find(cloud::parse_object_name(model)))
      throw cloud::cloud_error(cloud::Failure::not_found, "{} is not there: plume cloud push puts models on S3", model);
  } catch (const cloud::Error& error) {
    // The role may see what the user does not.
    if (error.failure() != cloud::Failure::credentials || error.code().empty()) throw;
  }
}

const char* word_of(cloud::DeployOutcome outcome) {
  switch (outcome) {
    case cloud::DeployOutcome::created: return "created";
    case cloud::DeployOutcome::updated: return "updated";
    default: return "unchanged";
  }
}

void report(const Arguments& arguments, const cloud::Plan& plan, const cloud::DeployResult& result,
            const std::string& teardown) {
  const cloud::EndpointState& endpoint = result.endpoint;
  if (arguments.cloud.json) {
    const auto cost = cloud::hourly_cost(plan.variants);
    fmt::print("{}\n", Json{{"endpoint", plan.endpoint.name},
                            {"outcome", word_of(result.outcome)},
                            {"status", endpoint.status},
                            {"arn", endpoint.arn},
                            {"config", plan.config.name},
                            {"model", plan.model.name},
                            {"cost_per_hour", cost ? Json(*cost) : Json()},
                            {"prices_of", cloud::prices_are_of},
                            {"teardown", teardown}}
                           .dump());
    return;
  }
  fmt::print("endpoint {} {}: {} ({})\n", plan.endpoint.name, word_of(result.outcome), endpoint.status, endpoint.arn);
  fmt::print("It costs {}; to end that: {}\n", cloud::cost_text(plan.variants), teardown);
}

// Ctrl-C ends the wait, and then too all is torn down; but the data on S3, which others may have endpoints of, stay.
int tear_down_later(const Arguments& arguments, cloud::Session& session, cloud::Time end) {
  tell(fmt::format("{} will be torn down at {}, or by Ctrl-C", arguments.deployment.endpoint, cloud::iso_time(end)));
  const cloud::Clock& clock = session.clock();
  while (clock.now() < end && !StopSignal::requested())
    clock.sleep(std::min<std::chrono::milliseconds>(end - clock.now(), std::chrono::seconds(10)), &StopSignal::flag());
  TeardownArguments teardown{.cloud = arguments.cloud,
                             .endpoint = arguments.deployment.endpoint,
                             .config = true,
                             .model = true,
                             .yes = true,
                             .waiting = arguments.waiting,
                             .journal = arguments.journal};
  return run_teardown(teardown);
}

int run(const Arguments& arguments) {
  StopSignal signals;
  signals.outlive_terminal();
  cloud::Deployment deployment = deployment_of(arguments);
  const auto scaling = scaling_of(arguments);
  cloud::Plan plan = cloud::plan_deployment(deployment);
  if (arguments.dry_run) {
    print_plan(arguments, plan);
    return 0;
  }
  const auto session = open_session(arguments.cloud);
  const std::string region = session->region();
  confirm(arguments.yes, fmt::format("This would cost {}.", cloud::cost_text(plan.variants)));
  cloud::Journal journal = open_journal(*session, arguments.journal, deployment.endpoint);
  add_run_tags(deployment, arguments, journal, session->clock());
  plan = cloud::plan_deployment(deployment);
  check_model(*session, deployment.model);

  cloud::SageMaker sagemaker = open_sagemaker(*session);
  cloud::DeployOptions options{.update = arguments.update,
                               .wait = !arguments.no_wait,
                               .keep_failed = arguments.keep_failed,
                               .waiting = wait_options(arguments.waiting),
                               .tell = tell,
                               .finish = [&] { set_scaling(*session, scaling); },
                               .look_at_failure = [&](const std::string& name) { tell_logs(*session, name); }};
  const cloud::DeployResult result = cloud::deploy(sagemaker, plan, journal, options);
  report(
      arguments, plan, result,
      fmt::format("plume cloud teardown {} --all --yes{}", deployment.endpoint, same_place(arguments.cloud, region)));
  if (arguments.max_hours == 0) return 0;
  std::fflush(stdout);
  return tear_down_later(arguments, *session, session->clock().now() + max_duration(arguments));
}

void add_options(CLI::App& app, Arguments& arguments) {
  cloud::Deployment& deployment = arguments.deployment;
  app.add_option("name", deployment.endpoint, "Of the endpoint")->required();
  app.add_option("--model", deployment.model, "s3://.../model.tar.gz, as push prints it, or s3://.../ of its files")
      ->required();
  app.add_option("--image", deployment.image, "plume-infer's, in a registry that SageMaker reaches")->required();
  app.add_option("--role", deployment.role, "ARN of the role that the container has")->required();
  app.add_option("--instance", deployment.instance, "Kind of machine")->capture_default_str();
  app.add_option("--count", deployment.count, "Machines")->capture_default_str()->check(CLI::Range(1, 1000));
  app.add_option("--serverless", arguments.serverless, "MEMORY,CONCURRENCY: MiB and requests at a time, no machines")
      ->delimiter(',')
      ->expected(2);
  app.add_option("--async", deployment.async_output, "s3://...: requests are queued, and results put there");
  app.add_option("--autoscale", arguments.autoscale,
                 "LEAST,MOST,PER_MINUTE: as many machines as keep each at that many requests")
      ->delimiter(',')
      ->expected(3);
  app.add_option("--env", arguments.environment, "NAME=VALUE for the container; may be repeated");
  app.add_option("--ami-version", deployment.ami_version, "Of the machine's system, which has the GPU's driver");
  app.add_option("--startup-timeout", arguments.startup_timeout, "Seconds until the container must answer")
      ->capture_default_str();
  app.add_option("--download-timeout", arguments.download_timeout, "Seconds that the model may take from S3")
      ->capture_default_str();
  app.add_option("--volume-gb", deployment.volume_gb, "Of the machine's disk; 0: as it comes")
      ->capture_default_str()
      ->check(CLI::Range(0, 512));
  app.add_option("--variant-weight", deployment.weight, "Share of requests")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--tag", arguments.tags, "NAME=VALUE for all that is made; may be repeated");
  app.add_option("--owner", arguments.owner, "Tag plume-owner");
  app.add_flag("--update", arguments.update, "Bring an endpoint that is there to these settings, without a gap");
  app.add_flag("--no-wait", arguments.no_wait, "Do not wait until it is in service");
  app.add_flag("--keep-failed", arguments.keep_failed, "Leave what was made where the rest fails");
  app.add_option("--max-hours", arguments.max_hours, "Stay, and tear down what was made after so long; 0: do not")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 8760.0));
  app.add_option("--journal", arguments.journal, "File that notes what is made; by default below ~/.local/state/plume");
  app.add_flag("--yes", arguments.yes, "Do not ask whether it may cost that much");
  app.add_flag("--dry-run", arguments.dry_run, "Only print the requests and the cost; nothing is sent");
  add_wait_options(app, arguments.waiting);
}

}  // namespace

void add_cloud_deploy_command(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = cloud_app.add_subcommand("deploy", "Makes an endpoint of a model on S3");
  add_options(*app, *arguments);
  add_cloud_options(*app, arguments->cloud);
  app->footer(
      "Example: plume cloud deploy smoke --model s3://my-bucket/models/sha256-.../model.tar.gz --image "
      "1234.dkr.ecr.us-east-1.amazonaws.com/plume-infer:cpu --role arn:aws:iam::1234:role/sagemaker --max-hours 2 "
      "--yes");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet
