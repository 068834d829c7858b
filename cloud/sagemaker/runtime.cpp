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
                            header("TargetModel", "X-Amzn-SageMaker-Target-Model"),
                            header("CustomAttributes", custom_attributes_header)},
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
Error runtime_error(const std::string& what, const ServiceError& error) {
  const Error usual = to_error(what, error);
  if (error.code != "ValidationError" && error.code != "ValidationException") return usual;
  const bool missing = error.message.find("not found") != std::string::npos;
  return {missing ? Failure::not_found : Failure::usage, usual.what(), error.code};
}

// What an operation gives of a good reply.
Json output_of(const RestCall& call, const HttpResponse& reply) {
  if (!reply.ok()) throw runtime_error(call.what, parse_service_error(reply));
  return rest_reply(call.operation, reply);
}

RestCall invocation_call(const Invocation& invocation) {
  return {invoke_endpoint(), "InvokeEndpoint " + invocation.endpoint};
}

}  // namespace

HttpResponse SageMakerRuntime::answer(const Invocation& invocation) {
  Json input{{"EndpointName", invocation.endpoint}, {"Body", invocation.body}};
  add(input, "ContentType", invocation.content_type);
  add(input, "Accept", invocation.accept);
  add(input, "TargetModel", invocation.target_model);
  add(input, "CustomAttributes", invocation.custom_attributes);
  RestCall call = invocation_call(invocation);
  call.timeouts = client_.settings().timeouts;
  call.timeouts->stall = call.timeouts->whole = invocation.timeout;
  return rest_answer(client_, endpoint_, call, input);
}

InvocationReply SageMakerRuntime::invoke(const Invocation& invocation) {
  const Json reply = output_of(invocation_call(invocation), answer(invocation));
  return {reply.value("Body", ""), reply.value("ContentType", ""), reply.value("InvokedProductionVariant", "")};
}

AsyncReply SageMakerRuntime::invoke_async(const AsyncInvocation& invocation) {
  Json input{{"EndpointName", invocation.endpoint}, {"InputLocation", invocation.input}};
  add(input, "ContentType", invocation.content_type);
  add(input, "Accept", invocation.accept);
  const RestCall call{invoke_endpoint_async(), "InvokeEndpointAsync " + invocation.endpoint};
  const Json reply = output_of(call, rest_answer(client_, endpoint_, call, input));
  return {reply.value("InferenceId", ""), reply.value("OutputLocation", ""), reply.value("FailureLocation", "")};
}

}  // namespace plume::cloud
