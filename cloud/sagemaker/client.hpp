// Amazon SageMaker's hosting: models, endpoint configurations (what runs them, on which machines) and endpoints (which
// answer requests by a configuration).
// Source: Amazon SageMaker API Reference, 2017-07-24.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

// A variant of an endpoint: machines with one model.
struct VariantState {
  std::string name;
  std::string instance;  // ml.g5.xlarge; empty: serverless
  int current_count = 0;
  int desired_count = 0;
  int serverless_memory = 0;  // MiB; 0: not serverless
};

struct EndpointState {
  std::string name;
  std::string arn;
  std::string config;
  std::string status;          // Creating, InService, Updating, Failed, Deleting, ...
  std::string failure_reason;  // empty: none given
  Time created{};
  Time modified{};
  std::vector<VariantState> variants;  // without instance, which the configuration has

  [[nodiscard]] bool in_service() const noexcept { return status == "InService"; }
  // On its way to another status.
  [[nodiscard]] bool in_motion() const noexcept {
    return status == "Creating" || status == "Updating" || status == "SystemUpdating" || status == "RollingBack" ||
           status == "Deleting";
  }
};

// What a plan makes; also the order in which it is made.
enum class ResourceKind { model, endpoint_config, endpoint };
[[nodiscard]] std::string_view name_of(ResourceKind kind);  // "endpoint configuration"

struct Resource {
  ResourceKind kind;
  std::string name;
  bool operator==(const Resource&) const = default;
};

class SageMaker {
 public:
  // `client` outlives it.
  SageMaker(ServiceClient& client, Endpoint endpoint) : client_(client), endpoint_(std::move(endpoint)) {}

  [[nodiscard]] const Clock& clock() const { return client_.clock(); }
  [[nodiscard]] const std::atomic<bool>* cancelled() const { return client_.settings().cancelled; }

  // Any operation, its input as AWS documents it. Throws as ServiceClient::call; SageMaker says ValidationException for
  // much, which becomes not_found, conflict or usage by what its message says.
  nlohmann::json call(const std::string& operation, const nlohmann::json& input, bool even_when_cancelled = false);

  [[nodiscard]] std::optional<EndpointState> find_endpoint(const std::string& name, bool even_when_cancelled = false);
  // As DescribeEndpointConfig and DescribeModel answer.
  [[nodiscard]] std::optional<nlohmann::json> find_config(const std::string& name, bool even_when_cancelled = false);
  [[nodiscard]] std::optional<nlohmann::json> find_model(const std::string& name, bool even_when_cancelled = false);
  [[nodiscard]] bool exists(const Resource& resource, bool even_when_cancelled = false);

  // Names of all models.
  [[nodiscard]] std::vector<std::string> list_models();
  // All endpoints, newest first; `contains` empty: any name.
  [[nodiscard]] std::vector<EndpointState> list_endpoints(const std::string& contains = {});
  [[nodiscard]] std::map<std::string, std::string> tags(const std::string& arn, bool even_when_cancelled = false);

  // One that is not there is fine.
  void remove(const Resource& resource, bool even_when_cancelled = false);

 private:
  [[nodiscard]] std::optional<nlohmann::json> find(const std::string& operation, const char* key,
                                                   const std::string& name, bool even_when_cancelled);

  ServiceClient& client_;
  Endpoint endpoint_;
};

// The variants of a configuration, as DescribeEndpointConfig answers.
[[nodiscard]] std::vector<VariantState> variants_of(const nlohmann::json& config);
// The models that its variants run.
[[nodiscard]] std::vector<std::string> models_of(const nlohmann::json& config);

}  // namespace plume::cloud
