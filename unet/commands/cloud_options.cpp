// Words for people go to stderr, results to stdout.
#include "unet/commands/cloud_options.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cloud/identity.hpp"
#include "kernels/base/error.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

// What cannot be written, for nobody reads it or a disk is full, must not end what is half done.
void say(const std::string& text) {
  static_cast<void>(std::fputs(text.c_str(), stderr));
}

}  // namespace

void add_cloud_options(CLI::App& command, CloudOptions& options) {
  command.add_option("--region", options.flags.region, "AWS region; by default as AWS_REGION or the profile says");
  command.add_option("--profile", options.flags.profile, "Of ~/.aws/config; by default AWS_PROFILE, or keys as set");
  command.add_option("--endpoint-url", options.flags.endpoint_url, "Another server that speaks like AWS's services");
  command.add_flag("--json", options.json, "Print JSON, one object a line");
  command.add_flag("--debug", options.debug, "Say on stderr what is signed and how it goes, without secrets");
}

std::unique_ptr<cloud::Session> open_session(const CloudOptions& options) {
  cloud::SessionOptions session{.flags = options.flags, .cancelled = &StopSignal::flag()};
  if (options.debug) session.debug = [](const std::string& text) { say(fmt::format("debug: {}\n", text)); };
  return std::make_unique<cloud::Session>(std::move(session), cloud::system_surroundings());
}

cloud::SageMaker open_sagemaker(cloud::Session& session) {
  return {session.client(), session.endpoint(cloud::sagemaker)};
}

cloud::Endpoint iam_endpoint(const cloud::Session& session) {
  cloud::EndpointChoice choice = session.config().endpoint_choice(cloud::iam);
  if (const std::string& url = session.config().flags().endpoint_url; !url.empty()) choice.custom = url;
  return service_endpoint(cloud::iam, cloud::iam_choice(std::move(choice)));
}

std::string same_place(const CloudOptions& options, const std::string& region) {
  std::string text = " --region " + region;
  if (!options.flags.profile.empty()) text += " --profile " + options.flags.profile;
  if (!options.flags.endpoint_url.empty()) text += " --endpoint-url " + options.flags.endpoint_url;
  return text;
}

void add_wait_options(CLI::App& command, WaitSettings& settings) {
  command.add_option("--timeout", settings.timeout, "Seconds to wait at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--poll", settings.poll, "Seconds between two looks")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
}

cloud::WaitOptions wait_options(const WaitSettings& settings) {
  const auto milliseconds = [](double seconds) { return std::chrono::milliseconds(static_cast<long>(seconds * 1000)); };
  cloud::WaitOptions options{.poll = milliseconds(settings.poll), .timeout = milliseconds(settings.timeout)};
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  options.progress = [terminal, last = std::string()](const cloud::EndpointState& state,
                                                      std::chrono::seconds waited) mutable {
    if (terminal && state.in_motion()) {
      say(fmt::format("\r{}: {}, {}\033[K", state.name, state.status, duration_text(waited)));
    } else if (state.status != last) {
      say(fmt::format("{}{}: {}\n", terminal ? "\r\033[K" : "", state.name, state.status));
    }
    last = state.status;
  };
  return options;
}

void tell(const std::string& line) {
  say(line + '\n');
}

std::map<std::string, std::string> parse_pairs(const char* option, const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> parsed;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) throw usage_error("{} {}: it is NAME=VALUE", option, pair);
    parsed[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return parsed;
}

void confirm(bool yes, const std::string& question) {
  if (yes) return;
  if (::isatty(STDIN_FILENO) == 0) throw usage_error("{} Say --yes.", question);
  fmt::print(stderr, "{} Type yes: ", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "yes") throw usage_error("nothing was done, for the answer was not yes");
}

cloud::Journal open_journal(const cloud::Session& session, const std::string& chosen, const std::string& endpoint) {
  const cloud::Surroundings& surroundings = session.config().surroundings();
  const std::filesystem::path path = chosen.empty()
                                         ? cloud::journal_path(surroundings.word("XDG_STATE_HOME"),
                                                               surroundings.word("HOME"), session.region(), endpoint)
                                         : std::filesystem::path(chosen);
  return {path, new_run(session.clock()), session.clock()};
}

std::string new_run(const cloud::Clock& clock) {
  return fmt::format("{}-{:08x}", cloud::amz_time(clock.now()), static_cast<unsigned>(clock.random() * 0x1p32));
}

std::string duration_text(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  if (seconds < 48 * 3600) return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} days", seconds / 86400);
}

}  // namespace plume::unet
