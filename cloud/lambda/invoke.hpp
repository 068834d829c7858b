// A SageMaker endpoint, asked for one answer.
// Source: Amazon SageMaker API Reference, "InvokeEndpoint".
#pragma once

#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::lambda {

struct Invoke {
  std::string endpoint;  // its name
  std::string body;
  std::string content_type;
  std::string accept;             // empty: as the endpoint likes
  std::string custom_attributes;  // for whoever serves the model; empty: none
};

// The last reply, whatever its status. Throws TransportError where none came.
[[nodiscard]] cloud::HttpResponse invoke_endpoint(cloud::ServiceClient& client, const cloud::Endpoint& runtime,
                                                  const Invoke& invoke);

}  // namespace plume::lambda
