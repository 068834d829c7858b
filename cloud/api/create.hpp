// An API to an endpoint: an HTTP API in front of a function, which asks the endpoint.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cloud/api/functions.hpp"
#include "cloud/api/gateway.hpp"
#include "cloud/logs.hpp"

namespace plume::cloud {

struct ApiSettings {
  std::string name;       // of function and API
  std::string endpoint;   // that it asks
  std::string role;       // whose rights the function has
  std::string archive{};  // plume-lambda.zip's bytes, or
  std::string image{};    // a container image with it
  std::string bucket{};   // the only one that images may come from; empty: any
  std::string route = "/predict";
  int memory = 512;    // MiB
  int timeout = 29;    // s; API Gateway waits for 30
  int keep_logs = 14;  // days
  std::map<std::string, std::string> tags{};
  std::string run{};  // tag plume-run, by which a run knows what it has made though an answer was lost
};

// What the documents name of what was made before.
struct ApiIds {
  std::string function_arn = "FUNCTION_ARN";
  std::string api = "API_ID";
  std::string integration = "INTEGRATION_ID";
};

struct ApiDocuments {
  nlohmann::json function;
  nlohmann::json api;
  nlohmann::json integration;
  nlohmann::json route;
  nlohmann::json stage;
  nlohmann::json permission;
};
// Throws cloud::Error (usage) where a setting is none that AWS takes.
[[nodiscard]] ApiDocuments api_documents(const ApiSettings& settings, const ApiIds& ids);

// Operations and documents in the order in which they go, for people; the archive is left out.
[[nodiscard]] std::vector<std::pair<std::string, nlohmann::json>> api_plan(const ApiSettings& settings);

struct ApiServices {
  Functions functions;
  ApiGateway gateway;
  Logs logs;
};

struct ApiOptions {
  std::chrono::milliseconds poll{2000};
  std::chrono::milliseconds timeout{120'000};
  std::function<void(const std::string&)> tell{};
};

// The address that answers. Where something fails, what this call has made is removed again. Throws cloud::Error;
// conflict where there is a function or API of that name.
std::string create_api(ApiServices& services, const ApiSettings& settings, const ApiOptions& options);

// Removes APIs and function of that name, and the log group of such a function. What was removed, in words. Throws
// cloud::Error, before anything is removed: not_found where there is nothing, conflict where an API or the function has
// no tag plume-run, so that someone else has made it, unless `foreign` may go too.
std::vector<std::string> delete_api(ApiServices& services, const std::string& name, bool foreign);

[[nodiscard]] inline std::string function_log_group(const std::string& name) {
  return "/aws/lambda/" + name;
}

}  // namespace plume::cloud
