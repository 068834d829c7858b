// Two operations as shapes.
#include "cloud/sagemaker/runtime.hpp"

#include <nlohmann/json.hpp>

#include "cloud/protocols/rest.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

Member header(const char* name, const char* wire_name) {
  return {.name = name, .shape = &string_shape, .wire_name = wire_name, .place = Place::header};
}

const Member endpoint_name{.name = "EndpointName", .shape = &string_shape, .place = Place::label};

const RestOperation& invoke_endpoint() {
  static const RestOperation operation{
      .name = "InvokeEndpoint",
      .method = "POST",
      .uri = "/endpoints/{EndpointName}/invocations",
      .input = {.members = {endpoint_name,
                            {"Body", &blob_shape},
                            header("ContentType", "Content-Type"),
                            header("Accept", "Accept"),
                            header("TargetModel", "X-Amzn-SageMaker-Target-Model")},
                .payload = "Body"},
      .output = {.members = {{"Body", &blob_shape},
                             header("ContentType", "Content-Type"),
                             header("InvokedProductionVariant", "x-Amzn-Invoked-Production-Variant")},
                 .payload = "Body"}};
  return operation;
}

const RestOperation& invoke_endpoint_async() {
  static const RestOperation operation{
      .name = "InvokeEndpointAsync",
      .method = "POST",
      .uri = "/endpoints/{EndpointName}/async-invocations",
      .input = {.members = {endpoint_name, header("ContentType", "X-Amzn-SageMaker-Content-Type"),
                            header("Accept", "X-Amzn-SageMaker-Accept"),
                            header("InputLocation", "X-Amzn-SageMaker-InputLocation")}},
      .output = {.members = {{"InferenceId", &string_shape},
                             header("OutputLocation", "X-Amzn-SageMaker-OutputLocation"),
                             header("FailureLocation", "X-Amzn-SageMaker-FailureLocation")}}};
  return operation;
}

void add(Json& input, const char* name, const std::string& value) {
  if (!value.empty()) input[name] = value;
}

// The runtime's words for what SageMaker's API calls ValidationException.
Json call(ServiceClient& client, const Endpoint& endpoint, const RestCall& call, const Json& input) {
  try {
    return rest_call(client, endpoint, call, input);
  } catch (const Error& error) {
    if (error.code() != "ValidationError" && error.code() != "ValidationException") throw;
    const bool missing = std::string_view(error.what()).find("not found") != std::string_view::npos;
    throw Error(missing ? Failure::not_found : Failure::usage, error.what(), error.code());
  }
}

}  // namespace

InvocationReply SageMakerRuntime::invoke(const Invocation& invocation) {
  Json input{{"EndpointName", invocation.endpoint}, {"Body", invocation.body}};
  add(input, "ContentType", invocation.content_type);
  add(input, "Accept", invocation.accept);
  add(input, "TargetModel", invocation.target_model);
  Timeouts timeouts = client_.settings().timeouts;
  timeouts.stall = timeouts.whole = invocation.timeout;
  const Json reply =
      call(client_, endpoint_, {invoke_endpoint(), "InvokeEndpoint " + invocation.endpoint, timeouts}, input);
  return {reply.value("Body", ""), reply.value("ContentType", ""), reply.value("InvokedProductionVariant", "")};
}

AsyncReply SageMakerRuntime::invoke_async(const AsyncInvocation& invocation) {
  Json input{{"EndpointName", invocation.endpoint}, {"InputLocation", invocation.input}};
  add(input, "ContentType", invocation.content_type);
  add(input, "Accept", invocation.accept);
  const Json reply =
      call(client_, endpoint_, {invoke_endpoint_async(), "InvokeEndpointAsync " + invocation.endpoint}, input);
  return {reply.value("InferenceId", ""), reply.value("OutputLocation", ""), reply.value("FailureLocation", "")};
}

}  // namespace plume::cloud
