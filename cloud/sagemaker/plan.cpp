// Settings to requests; tags have no part in names.
#include "cloud/sagemaker/plan.hpp"

#include <algorithm>

#include "cloud/endpoints/arn.hpp"
#include "cloud/endpoints/url.hpp"
#include "cloud/signing/digest.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

constexpr std::size_t digits = 8;  // of a hash in a name
constexpr std::size_t longest_name = 63;

void require(bool fine, const char* what, const std::string& value, const char* otherwise) {
  if (!fine) throw cloud_error(Failure::usage, "{} {}: {}", what, value, otherwise);
}

// s3://BUCKET/.../model.tar.gz or s3://BUCKET/.../, where a bucket alone is none.
bool is_model(std::string_view text) {
  constexpr std::string_view scheme = "s3://";
  if (!text.starts_with(scheme) || !(text.ends_with(".tar.gz") || text.ends_with('/'))) return false;
  const std::size_t slash = text.find('/', scheme.size());
  return slash > scheme.size() && slash + 1 < text.size();
}

void check(const Deployment& deployment) {
  check_endpoint_name(deployment.endpoint);
  require(deployment.endpoint.size() + 1 + digits <= longest_name, "endpoint", deployment.endpoint,
          "a name of at most 54 characters leaves room for its model's");
  require(is_model(deployment.model), "model", deployment.model,
          "it is s3://BUCKET/.../model.tar.gz, or a folder s3://BUCKET/.../ of its files");
  require(!deployment.image.empty() && deployment.image.find(' ') == std::string::npos, "image", deployment.image,
          "it is REGISTRY/NAME:TAG");
  const auto role = parse_arn(deployment.role);
  require(role && role->service == "iam", "role", deployment.role, "it is arn:aws:iam::ACCOUNT:role/NAME");
  require(deployment.async_output.empty() || deployment.async_output.starts_with("s3://"), "async output",
          deployment.async_output, "it is s3://BUCKET/PREFIX");
  require(!deployment.serverless || deployment.async_output.empty(), "async output", deployment.async_output,
          "serverless endpoints answer at once");
  require(deployment.serverless || deployment.instance.starts_with("ml."), "instance", deployment.instance,
          "SageMaker's machines are called ml.FAMILY.SIZE");
  if (deployment.serverless) {
    const int memory = deployment.serverless->memory;
    require(memory >= 1024 && memory <= 6144 && memory % 1024 == 0, "serverless memory", std::to_string(memory),
            "it is 1024, 2048, ... or 6144 MiB");
    const int concurrency = deployment.serverless->concurrency;
    require(concurrency >= 1 && concurrency <= 200, "serverless concurrency", std::to_string(concurrency),
            "it is 1 to 200");
  }
  for (const auto seconds : {deployment.startup_timeout, deployment.download_timeout})
    require(seconds >= std::chrono::minutes(1) && seconds <= std::chrono::hours(1), "timeout",
            std::to_string(seconds.count()), "SageMaker takes 60 to 3600 s");
}

Resource named_by(ResourceKind kind, const std::string& endpoint, const Json& content) {
  return {kind, endpoint + '-' + hex(sha256(content.dump())).substr(0, digits)};
}

Json container_of(const Deployment& deployment) {
  Json container{{"Image", deployment.image}};
  if (deployment.model.ends_with('/')) {
    container["ModelDataSource"]["S3DataSource"] = {
        {"S3Uri", deployment.model}, {"S3DataType", "S3Prefix"}, {"CompressionType", "None"}};
  } else {
    container["ModelDataUrl"] = deployment.model;
  }
  if (!deployment.environment.empty()) container["Environment"] = deployment.environment;
  return container;
}

Json variant_of(const Deployment& deployment, const std::string& model) {
  Json variant{{"VariantName", variant_name}, {"ModelName", model}, {"InitialVariantWeight", deployment.weight}};
  if (deployment.serverless) {
    variant["ServerlessConfig"] = {{"MemorySizeInMB", deployment.serverless->memory},
                                   {"MaxConcurrency", deployment.serverless->concurrency}};
    return variant;
  }
  variant["InstanceType"] = deployment.instance;
  variant["InitialInstanceCount"] = deployment.count;
  variant["ContainerStartupHealthCheckTimeoutInSeconds"] = deployment.startup_timeout.count();
  variant["ModelDataDownloadTimeoutInSeconds"] = deployment.download_timeout.count();
  if (deployment.volume_gb > 0) variant["VolumeSizeInGB"] = deployment.volume_gb;
  if (!deployment.ami_version.empty()) variant["InferenceAmiVersion"] = deployment.ami_version;
  return variant;
}

Step step_of(const Resource& resource, const char* operation, const char* key, Json input, const Json& tags) {
  input[key] = resource.name;
  if (!tags.empty()) input["Tags"] = tags;
  return {resource, operation, std::move(input)};
}

}  // namespace

void check_endpoint_name(const std::string& name) {
  require(is_host_label(name) && !name.ends_with('-'), "endpoint", name,
          "a name has 1 to 63 letters, digits and, between them, dashes");
}

bool is_planned_name(const std::string& name, const std::string& endpoint) {
  return name.size() == endpoint.size() + 1 + digits && name.starts_with(endpoint + '-') &&
         name.find_first_not_of("0123456789abcdef", endpoint.size() + 1) == std::string::npos;
}

Plan plan_deployment(const Deployment& deployment) {
  check(deployment);
  Json tags = Json::array();
  for (const auto& [key, value] : deployment.tags) tags.push_back({{"Key", key}, {"Value", value}});

  Json model{{"PrimaryContainer", container_of(deployment)}, {"ExecutionRoleArn", deployment.role}};
  Plan plan{.model = named_by(ResourceKind::model, deployment.endpoint, model),
            .config = {},
            .endpoint = {ResourceKind::endpoint, deployment.endpoint},
            .steps = {},
            .update = {},
            .variants = {}};
  Json config{{"ProductionVariants", Json::array({variant_of(deployment, plan.model.name)})}};
  if (!deployment.async_output.empty())
    config["AsyncInferenceConfig"]["OutputConfig"] = {{"S3OutputPath", deployment.async_output}};
  plan.config = named_by(ResourceKind::endpoint_config, deployment.endpoint, config);
  plan.variants = variants_of(config);
  const Json endpoint{{"EndpointConfigName", plan.config.name}};
  plan.steps = {step_of(plan.model, "CreateModel", "ModelName", std::move(model), tags),
                step_of(plan.config, "CreateEndpointConfig", "EndpointConfigName", std::move(config), tags),
                step_of(plan.endpoint, "CreateEndpoint", "EndpointName", endpoint, tags)};
  plan.update = step_of(plan.endpoint, "UpdateEndpoint", "EndpointName", endpoint, Json::array());
  return plan;
}

}  // namespace plume::cloud
