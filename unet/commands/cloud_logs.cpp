// plume cloud logs: what an endpoint's containers have written.
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cloud/logs.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  CloudOptions cloud;
  std::string endpoint;
  std::size_t lines = 50;
  double poll = 5;
  bool follow = false;
};

void print(const CloudOptions& options, const cloud::LogLine& line) {
  const std::string time = cloud::iso_time(std::chrono::floor<std::chrono::seconds>(line.time));
  if (options.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"time", time}, {"stream", line.stream}, {"text", line.text}}.dump());
  } else {
    fmt::print("{} {}\n", time, line.text);
  }
}

int run(const Arguments& arguments) {
  const StopSignal signals;
  const auto session = open_session(arguments.cloud);
  cloud::Logs logs(session->client(), session->endpoint(cloud::cloudwatch_logs));
  const std::string group = cloud::endpoint_log_group(arguments.endpoint);
  const auto last = logs.last(group, arguments.lines);
  for (const cloud::LogLine& line : last) print(arguments.cloud, line);
  if (last.empty() && !arguments.follow) tell(fmt::format("{} has no lines", group));
  if (!arguments.follow) return 0;

  // Lines of the last moment may still come in, so it is asked for again.
  auto from = last.empty() ? session->clock().now() - std::chrono::seconds(1) : last.back().time;
  std::set<std::string> seen;
  for (const cloud::LogLine& line : last)
    if (line.time == from) seen.insert(line.text);
  while (!StopSignal::requested()) {
    for (const cloud::LogLine& line : logs.since(group, from)) {
      if (line.time == from && seen.contains(line.text)) continue;
      if (line.time > from) seen.clear();
      from = line.time;
      seen.insert(line.text);
      print(arguments.cloud, line);
    }
    std::fflush(stdout);
    session->clock().sleep(std::chrono::milliseconds(static_cast<long>(arguments.poll * 1000)), &StopSignal::flag());
  }
  return 0;
}

}  // namespace

void add_cloud_logs_command(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = cloud_app.add_subcommand("logs", "Shows what an endpoint has written");
  app->add_option("name", arguments->endpoint, "Of the endpoint")->required();
  app->add_option("--lines", arguments->lines, "How many, the last ones")->capture_default_str();
  app->add_flag("--follow", arguments->follow, "Go on with what comes, until Ctrl-C");
  app->add_option("--poll", arguments->poll, "Seconds between two looks")->capture_default_str();
  add_cloud_options(*app, arguments->cloud);
  app->footer("Example: plume cloud logs smoke --follow");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet
