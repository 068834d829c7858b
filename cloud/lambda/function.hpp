// The function: an event in, an image to the endpoint, an answer out.
#pragma once

#include <functional>
#include <string>

#include "cloud/credentials/config.hpp"
#include "cloud/lambda/image.hpp"
#include "cloud/lambda/runtime.hpp"

namespace plume::lambda {

struct Settings {
  std::string endpoint;  // ENDPOINT_NAME
  ImageRules images;     // PLUME_BUCKET, PLUME_MAX_PAYLOAD (MiB)
};

// From the environment. Throws cloud::Error (usage) where a variable is missing or wrong.
[[nodiscard]] Settings settings_of(const cloud::Surroundings& surroundings);

class Function {
 public:
  // All outlive it. `log` gets one line of JSON for each event: sizes, times and statuses, no contents and no names.
  Function(Settings settings, const cloud::Config& config, cloud::Transport& transport, cloud::CredentialSource& keys,
           std::function<void(const std::string&)> log);

  // API Gateway's form of an answer, whatever happens, while there is still time to give it.
  [[nodiscard]] std::string operator()(const Invocation& invocation);

 private:
  struct Report;
  [[nodiscard]] Answer answer(const Invocation& invocation, Report& report);
  [[nodiscard]] Answer ask(const Invocation& invocation, Report& report);

  Settings settings_;
  const cloud::Config& config_;
  cloud::Transport& transport_;
  cloud::CredentialSource& keys_;
  std::function<void(const std::string&)> log_;
};

// What an endpoint's reply is for who asked: its answer, or why there is none.
[[nodiscard]] Answer answer_of(const cloud::HttpResponse& reply, const std::string& request_id);

}  // namespace plume::lambda
