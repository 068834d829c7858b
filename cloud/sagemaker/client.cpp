// Replies as far as plume looks at them.
#include "cloud/sagemaker/client.hpp"

#include "cloud/protocols/json.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

std::string text(const Json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number(const Json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_number() ? found->get<int>() : 0;
}

// Seconds since 1970, with fractions; a fake may write a date.
Time time(const Json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end()) return {};
  if (found->is_number()) return Time(std::chrono::seconds(found->get<long>()));
  return found->is_string() ? parse_time(found->get<std::string>()).value_or(Time{}) : Time{};
}

EndpointState endpoint_of(const Json& reply) {
  EndpointState state;
  state.name = text(reply, "EndpointName");
  state.arn = text(reply, "EndpointArn");
  state.config = text(reply, "EndpointConfigName");
  state.status = text(reply, "EndpointStatus");
  state.failure_reason = text(reply, "FailureReason");
  state.created = time(reply, "CreationTime");
  state.modified = time(reply, "LastModifiedTime");
  for (const Json& variant : reply.value("ProductionVariants", Json::array()))
    state.variants.push_back({.name = text(variant, "VariantName"),
                              .instance = {},
                              .current_count = number(variant, "CurrentInstanceCount"),
                              .desired_count = number(variant, "DesiredInstanceCount")});
  return state;
}

// "Could not find endpoint ...", "Cannot create already existing model ..."
Failure failure_of_validation(std::string_view message) {
  if (message.find("Could not find") != std::string_view::npos) return Failure::not_found;
  for (const std::string_view words : {"already exist", "Cannot update in-progress", "in-progress endpoint"})
    if (message.find(words) != std::string_view::npos) return Failure::conflict;
  return Failure::usage;
}

struct Words {
  const char* name;
  const char* key;
  const char* remove;
};

Words words_of(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::model: return {"model", "ModelName", "DeleteModel"};
    case ResourceKind::endpoint_config: return {"endpoint configuration", "EndpointConfigName", "DeleteEndpointConfig"};
    default: return {"endpoint", "EndpointName", "DeleteEndpoint"};
  }
}

}  // namespace

std::string_view name_of(ResourceKind kind) {
  return words_of(kind).name;
}

Json SageMaker::call(const std::string& operation, const Json& input, bool even_when_cancelled) {
  try {
    return json_call(client_, endpoint_, "SageMaker", operation, input, even_when_cancelled);
  } catch (const Error& error) {
    if (error.code() == "ResourceNotFound") throw Error(Failure::not_found, error.what(), error.code());
    if (error.code() == "ResourceInUse") throw Error(Failure::conflict, error.what(), error.code());
    if (error.code() != "ValidationException") throw;
    throw Error(failure_of_validation(error.what()), error.what(), error.code());
  }
}

std::optional<Json> SageMaker::find(const std::string& operation, const char* key, const std::string& name,
                                    bool even_when_cancelled) {
  try {
    return call(operation, {{key, name}}, even_when_cancelled);
  } catch (const Error& error) {
    if (error.failure() != Failure::not_found) throw;
    return std::nullopt;
  }
}

std::optional<EndpointState> SageMaker::find_endpoint(const std::string& name, bool even_when_cancelled) {
  const auto reply = find("DescribeEndpoint", "EndpointName", name, even_when_cancelled);
  return reply ? std::optional(endpoint_of(*reply)) : std::nullopt;
}

std::optional<Json> SageMaker::find_config(const std::string& name, bool even_when_cancelled) {
  return find("DescribeEndpointConfig", "EndpointConfigName", name, even_when_cancelled);
}

std::optional<Json> SageMaker::find_model(const std::string& name, bool even_when_cancelled) {
  return find("DescribeModel", "ModelName", name, even_when_cancelled);
}

bool SageMaker::exists(const Resource& resource, bool even_when_cancelled) {
  switch (resource.kind) {
    case ResourceKind::model: return find_model(resource.name, even_when_cancelled).has_value();
    case ResourceKind::endpoint_config: return find_config(resource.name, even_when_cancelled).has_value();
    default: return find_endpoint(resource.name, even_when_cancelled).has_value();
  }
}

std::vector<std::string> SageMaker::list_models() {
  std::vector<std::string> names;
  Json input{{"MaxResults", 100}};
  while (true) {
    const Json reply = call("ListModels", input);
    for (const Json& one : reply.value("Models", Json::array())) names.push_back(text(one, "ModelName"));
    const std::string next = text(reply, "NextToken");
    if (next.empty()) return names;
    input["NextToken"] = next;
  }
}

std::vector<EndpointState> SageMaker::list_endpoints(const std::string& contains) {
  std::vector<EndpointState> endpoints;
  Json input{{"SortBy", "CreationTime"}, {"SortOrder", "Descending"}, {"MaxResults", 100}};
  if (!contains.empty()) input["NameContains"] = contains;
  while (true) {
    const Json reply = call("ListEndpoints", input);
    for (const Json& one : reply.value("Endpoints", Json::array())) endpoints.push_back(endpoint_of(one));
    const std::string next = text(reply, "NextToken");
    if (next.empty()) return endpoints;
    input["NextToken"] = next;
  }
}

std::map<std::string, std::string> SageMaker::tags(const std::string& arn, bool even_when_cancelled) {
  std::map<std::string, std::string> tags;
  Json input{{"ResourceArn", arn}, {"MaxResults", 100}};
  while (true) {
    const Json reply = call("ListTags", input, even_when_cancelled);
    for (const Json& tag : reply.value("Tags", Json::array())) tags[text(tag, "Key")] = text(tag, "Value");
    const std::string next = text(reply, "NextToken");
    if (next.empty()) return tags;
    input["NextToken"] = next;
  }
}

void SageMaker::remove(const Resource& resource, bool even_when_cancelled) {
  const Words words = words_of(resource.kind);
  static_cast<void>(find(words.remove, words.key, resource.name, even_when_cancelled));
}

std::vector<VariantState> variants_of(const Json& config) {
  std::vector<VariantState> variants;
  for (const Json& variant : config.value("ProductionVariants", Json::array())) {
    const int count = number(variant, "InitialInstanceCount");
    variants.push_back({text(variant, "VariantName"), text(variant, "InstanceType"), count, count,
                        number(variant.value("ServerlessConfig", Json::object()), "MemorySizeInMB")});
  }
  return variants;
}

std::vector<std::string> models_of(const Json& config) {
  std::vector<std::string> models;
  for (const Json& variant : config.value("ProductionVariants", Json::array()))
    if (std::string model = text(variant, "ModelName"); !model.empty()) models.push_back(std::move(model));
  return models;
}

}  // namespace plume::cloud
