// CloudWatch Logs: what containers and functions have written.
// Source: Amazon CloudWatch Logs API Reference, 2014-03-28.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

struct LogLine {
  std::chrono::sys_time<std::chrono::milliseconds> time;
  std::string stream;
  std::string text;
  std::string id;
};

class Logs {
 public:
  // `client` outlives it.
  Logs(ServiceClient& client, Endpoint endpoint) : client_(client), endpoint_(std::move(endpoint)) {}

  // The last lines of a group, of all its streams, in the order of time. A group that is not there has none.
  [[nodiscard]] std::vector<LogLine> last(const std::string& group, std::size_t count);
  // All since then, the moment itself included.
  [[nodiscard]] std::vector<LogLine> since(const std::string& group,
                                           std::chrono::sys_time<std::chrono::milliseconds> time);

  // A group whose lines stay for so many days; false: it is there already, and stays as it is.
  bool create(const std::string& group, int days);
  // False: there is none.
  bool remove(const std::string& group);

 private:
  ServiceClient& client_;
  Endpoint endpoint_;
};

[[nodiscard]] inline std::string endpoint_log_group(const std::string& endpoint) {
  return "/aws/sagemaker/Endpoints/" + endpoint;
}

}  // namespace plume::cloud
