// What a deployment consists of: names and requests, made of settings alone.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cloud/sagemaker/client.hpp"

namespace plume::cloud {

struct Serverless {
  int memory = 2048;  // MiB
  int concurrency = 1;
};

struct Deployment {
  std::string endpoint;
  std::string model;  // s3://.../model.tar.gz, or s3://.../ with its files as they are
  std::string image;  // plume-infer's, in a registry that SageMaker reaches
  std::string role;   // whose rights the container has
  std::string instance = "ml.m5.xlarge";
  int count = 1;
  std::optional<Serverless> serverless{};            // in place of instance and count
  std::map<std::string, std::string> environment{};  // of the container
  std::string ami_version{};                         // of the machine: its GPU driver; empty: SageMaker's choice
  std::chrono::seconds startup_timeout{600};         // until /ping answers
  std::chrono::seconds download_timeout{600};        // of the model
  int volume_gb = 0;                                 // 0: as the machine has it
  double weight = 1;                                 // of the variant
  std::string async_output{};                        // s3://...; not empty: requests are queued, results lie there
  std::map<std::string, std::string> tags{};         // of all that is made
};

struct Step {
  Resource resource;
  std::string operation;  // CreateModel
  nlohmann::json input;
};

struct Plan {
  Resource model;   // ENDPOINT-XXXXXXXX, by a hash of what it consists of
  Resource config;  // likewise, and so a change of either is another configuration
  Resource endpoint;
  std::vector<Step> steps;             // CreateModel, CreateEndpointConfig, CreateEndpoint
  Step update;                         // UpdateEndpoint, in place of the last
  std::vector<VariantState> variants;  // what it will cost
};

inline constexpr std::string_view variant_name = "plume";

// Throws cloud::Error (usage) where a setting is none that SageMaker takes, naming it.
[[nodiscard]] Plan plan_deployment(const Deployment& deployment);

// Whether plume has given that name for this endpoint: NAME-XXXXXXXX.
[[nodiscard]] bool is_planned_name(const std::string& name, const std::string& endpoint);

// Throws cloud::Error (usage) where an endpoint cannot have that name.
void check_endpoint_name(const std::string& name);

}  // namespace plume::cloud
