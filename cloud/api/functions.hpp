// AWS Lambda: functions, as far as an API needs one.
// Source: AWS Lambda API Reference, 2015-03-31.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

struct FunctionState {
  std::string arn;
  std::string state;   // Pending, Active, Failed
  std::string reason;  // where it is not Active
};

class Functions {
 public:
  // `client` outlives it.
  Functions(ServiceClient& client, Endpoint endpoint) : client_(client), endpoint_(std::move(endpoint)) {}

  [[nodiscard]] std::optional<FunctionState> find(const std::string& name);
  // Empty where there is no such function; also asked for when a user has cancelled. Throws cloud::Error (credentials)
  // where they may not be read.
  [[nodiscard]] std::map<std::string, std::string> tags(const std::string& name);
  // CreateFunction's document. A role that was just made may take a while until Lambda can take it on, which is waited
  // for.
  FunctionState create(const nlohmann::json& function);
  // Throws cloud::Error: failed with Lambda's reason, timeout.
  FunctionState wait_active(const std::string& name, std::chrono::milliseconds poll, std::chrono::milliseconds timeout);
  // AddPermission's document.
  void allow(const std::string& name, const nlohmann::json& permission);
  // One that is not there is fine.
  void remove(const std::string& name);

 private:
  ServiceClient& client_;
  Endpoint endpoint_;
};

}  // namespace plume::cloud
