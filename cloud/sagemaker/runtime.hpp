// Requests to an endpoint: SageMaker hands body and answer through, as its container speaks.
// Source: Amazon SageMaker Runtime API Reference, 2017-05-13.
#pragma once

#include <optional>
#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

// Bytes of a body that an endpoint takes, and of one that is serverless.
inline constexpr std::uint64_t most_payload = 6ULL << 20;
inline constexpr std::uint64_t most_serverless_payload = 4ULL << 20;

struct Invocation {
  std::string endpoint;
  std::string body;
  std::string content_type;
  std::string accept{};                       // empty: the container's choice
  std::string target_model{};                 // of several that the container has
  std::string custom_attributes{};            // for the container
  std::chrono::milliseconds timeout{70'000};  // SageMaker gives a container 60 s
};

struct InvocationReply {
  std::string body;
  std::string content_type;
  std::string variant;
};

// Input and output lie in S3; up to 1 GiB and an hour.
struct AsyncInvocation {
  std::string endpoint;
  std::string input;  // s3://bucket/key
  std::string content_type{};
  std::string accept{};
};

struct AsyncReply {
  std::string inference_id;
  std::string output;   // s3://..., where the answer will lie
  std::string failure;  // where the reason will, if it fails; empty: nowhere
};

// By which a request tells the container something, and the container an answer's reader.
inline constexpr const char* custom_attributes_header = "X-Amzn-SageMaker-Custom-Attributes";

class SageMakerRuntime {
 public:
  // `client` outlives it.
  SageMakerRuntime(ServiceClient& client, Endpoint endpoint) : client_(client), endpoint_(std::move(endpoint)) {}

  // Safe to call from several threads. Throws as ServiceClient::call; cloud::Error (failed) with the container's own
  // words where the model fails (424), usage where the body is too large or the endpoint refuses it.
  [[nodiscard]] InvocationReply invoke(const Invocation& invocation);
  // The last attempt's reply, whatever its status; throws TransportError where none came.
  [[nodiscard]] HttpResponse answer(const Invocation& invocation);
  [[nodiscard]] AsyncReply invoke_async(const AsyncInvocation& invocation);

 private:
  ServiceClient& client_;
  Endpoint endpoint_;
};

}  // namespace plume::cloud
