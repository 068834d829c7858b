// What all commands below `plume cloud` share: options, the session that they make, and how they speak.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cloud/sagemaker/client.hpp"
#include "cloud/sagemaker/journal.hpp"
#include "cloud/sagemaker/wait.hpp"
#include "cloud/session.hpp"

namespace plume::unet {

struct CloudOptions {
  cloud::Flags flags;
  bool json = false;
  bool debug = false;
};
void add_cloud_options(CLI::App& command, CloudOptions& options);

// Listens to StopSignal; with --debug says on stderr what is signed and how it goes.
[[nodiscard]] std::unique_ptr<cloud::Session> open_session(const CloudOptions& options);
[[nodiscard]] cloud::SageMaker open_sagemaker(cloud::Session& session);

[[nodiscard]] cloud::Endpoint iam_endpoint(const cloud::Session& session);

// " --region us-east-1 --profile p": what a command must be given to reach the same.
[[nodiscard]] std::string same_place(const CloudOptions& options, const std::string& region);

// --timeout and --poll, in seconds.
struct WaitSettings {
  double timeout = 3600;
  double poll = 30;
};
void add_wait_options(CLI::App& command, WaitSettings& settings);
// With progress on stderr: a line for each change, on a terminal one that counts.
[[nodiscard]] cloud::WaitOptions wait_options(const WaitSettings& settings);

// A line on stderr.
void tell(const std::string& line);

// K=V entries; `option` for the message where there is no '='.
[[nodiscard]] std::map<std::string, std::string> parse_pairs(const char* option, const std::vector<std::string>& pairs);

// Asks on a terminal; without one --yes must have been said. Throws usage_error where the answer is not yes.
void confirm(bool yes, const std::string& question);

// A name for the tag plume-run that no other run has.
[[nodiscard]] std::string new_run(const cloud::Clock& clock);

[[nodiscard]] cloud::Journal open_journal(const cloud::Session& session, const std::string& chosen,
                                          const std::string& endpoint);

// "2 h 05 min"
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

}  // namespace plume::unet
