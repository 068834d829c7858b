// Endpoint, configuration, models: the last made first.
#include <algorithm>

#include "cloud/sagemaker/deploy.hpp"
#include "cloud/sagemaker/remove.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

std::string data_of_container(const Json& container) {
  const Json source = container.value("ModelDataSource", Json::object()).value("S3DataSource", Json::object());
  return container.value("ModelDataUrl", source.value("S3Uri", ""));
}

std::string data_of(const Json& model) {
  return data_of_container(model.value("PrimaryContainer", Json::object()));
}

bool overlap(const std::string& data, const std::string& other) {
  const auto holds = [](const std::string& folder, const std::string& name) {
    return folder.ends_with('/') && name.starts_with(folder);
  };
  return data == other || holds(data, other) || holds(other, data);
}

}  // namespace

std::vector<Resource> find_resources(SageMaker& sagemaker, const std::string& endpoint, const Journal& journal,
                                     const TeardownOptions& options) {
  std::vector<Resource> found;
  const auto add = [&](const Resource& resource) {
    const bool wanted = resource.kind == ResourceKind::endpoint ||
                        (resource.kind == ResourceKind::model ? options.models : options.config);
    if (wanted && std::find(found.begin(), found.end(), resource) == found.end()) found.push_back(resource);
  };
  std::vector<Resource> left = journal.left();
  if (const auto state = sagemaker.find_endpoint(endpoint)) {
    add({ResourceKind::endpoint, endpoint});
    add({ResourceKind::endpoint_config, state->config});
    if (const auto config = sagemaker.find_config(state->config))
      for (const std::string& model : models_of(*config)) add({ResourceKind::model, model});
  }
  std::reverse(left.begin(), left.end());
  for (const Resource& resource : left)
    if (sagemaker.exists(resource)) add(resource);
  std::stable_sort(found.begin(), found.end(),
                   [](const Resource& one, const Resource& other) { return one.kind > other.kind; });
  return found;
}

std::vector<ModelData> data_of_models(SageMaker& sagemaker) {
  std::vector<ModelData> found;
  for (const std::string& name : sagemaker.list_models()) {
    try {
      const auto model = sagemaker.find_model(name);
      if (!model) continue;
      Json containers = model->value("Containers", Json::array());
      containers.push_back(model->value("PrimaryContainer", Json::object()));
      for (const Json& container : containers) found.push_back({name, data_of_container(container)});
    } catch (const Error& error) {
      throw cloud_error(error.failure(), "model {}: {}", name, error.what());
    }
  }
  return found;
}

const ModelData* user_of(const std::string& data, const std::vector<ModelData>& models) {
  const auto user =
      std::find_if(models.begin(), models.end(), [&](const ModelData& model) { return overlap(data, model.data); });
  return user == models.end() ? nullptr : &*user;
}

TeardownResult teardown(SageMaker& sagemaker, const std::vector<Resource>& resources, Journal& journal,
                        const TeardownOptions& options) {
  TeardownResult result;
  const auto tell = [&](const std::string& line) {
    if (options.tell) options.tell(line);
  };
  for (const Resource& resource : resources) {
    std::string data;
    try {
      if (resource.kind == ResourceKind::model)
        if (const auto model = sagemaker.find_model(resource.name)) data = data_of(*model);
      remove_and_wait(sagemaker, resource, options.waiting);
      journal.removed(resource);
      result.removed.push_back(resource);
      if (!data.empty()) result.model_data.push_back(data);
      tell(fmt::format("{} {} removed", name_of(resource.kind), resource.name));
    } catch (const Error& error) {
      if (error.failure() == Failure::credentials) throw;
      result.remains.push_back(resource);
      tell(fmt::format("{} {} remains: {}", name_of(resource.kind), resource.name, error.what()));
    }
  }
  return result;
}

}  // namespace plume::cloud
