// Function, API, integration, route, stage, permission; back in the other order.
#include "cloud/api/create.hpp"

#include <algorithm>

#include "cloud/endpoints/arn.hpp"
#include "cloud/endpoints/url.hpp"
#include "cloud/sagemaker/deploy.hpp"
#include "kernels/base/base64.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_archive = 50UL << 20;  // that a request may hold

void check(const ApiSettings& settings) {
  const auto require = [](bool fine, const char* what, const std::string& value, const char* otherwise) {
    if (!fine) throw cloud_error(Failure::usage, "{} {}: {}", what, value, otherwise);
  };
  require(is_host_label(settings.name), "name", settings.name, "it has 1 to 63 letters, digits and dashes");
  const auto role = parse_arn(settings.role);
  require(role && role->service == "iam", "role", settings.role, "it is arn:aws:iam::ACCOUNT:role/NAME");
  require(settings.archive.empty() != settings.image.empty(), "function", settings.image,
          "it is an archive or an image, one of them");
  require(settings.archive.size() <= most_archive, "function", settings.name, "Lambda takes archives of 50 MiB");
  require(settings.route.starts_with('/'), "route", settings.route, "it begins with a slash");
  require(settings.memory >= 128 && settings.memory <= 10'240, "memory", std::to_string(settings.memory),
          "Lambda has 128 to 10240 MiB");
  require(settings.timeout >= 1 && settings.timeout <= 900, "timeout", std::to_string(settings.timeout),
          "Lambda gives 1 to 900 s");
}

std::map<std::string, std::string> tags_of(const ApiSettings& settings) {
  std::map<std::string, std::string> tags = settings.tags;
  if (!settings.run.empty()) tags[run_tag] = settings.run;
  return tags;
}

bool is_of_run(const std::map<std::string, std::string>& tags, const ApiSettings& settings) {
  const auto found = tags.find(run_tag);
  return found != tags.end() && found->second == settings.run;
}

Json function_document(const ApiSettings& settings) {
  Json variables{{"ENDPOINT_NAME", settings.endpoint}};
  if (!settings.bucket.empty()) variables["PLUME_BUCKET"] = settings.bucket;
  Json function{{"FunctionName", settings.name},
                {"Role", settings.role},
                {"Timeout", settings.timeout},
                {"MemorySize", settings.memory},
                {"Environment", {{"Variables", std::move(variables)}}},
                {"Architectures", Json::array({"x86_64"})},
                {"Tags", tags_of(settings)}};
  if (!settings.image.empty()) {
    function["PackageType"] = "Image";
    function["Code"] = {{"ImageUri", settings.image}};
  } else {
    function["PackageType"] = "Zip";
    function["Runtime"] = "provided.al2023";
    function["Handler"] = "bootstrap";
    function["Code"] = {{"ZipFile", base64(settings.archive)}};
  }
  return function;
}

// arn:aws:lambda:REGION:ACCOUNT:function:NAME says where and whose the API is as well.
std::string api_arn(const ApiIds& ids, const std::string& route) {
  const auto function = parse_arn(ids.function_arn);
  if (!function) return fmt::format("arn:aws:execute-api:REGION:ACCOUNT:{}/*/*{}", ids.api, route);
  return fmt::format("arn:{}:execute-api:{}:{}:{}/*/*{}", function->partition, function->region, function->account,
                     ids.api, route);
}

// What has been made, to be removed when this goes without release().
class Made {
 public:
  explicit Made(const ApiOptions& options) : options_(options) {}
  ~Made() {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
      try {
        if (undo->remove()) tell(undo->what + " removed again");
      } catch (const std::exception& error) {
        tell(fmt::format("{} remains: {}", undo->what, error.what()));
      }
    }
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  // Before it is asked for: an answer may be lost. `remove` looks whether it has come about and is this run's; false:
  // it has not.
  void expect(std::string what, std::function<bool()> remove) { undo_.push_back({std::move(what), std::move(remove)}); }
  // The last that was expected.
  void came_about() { tell(undo_.back().what + " made"); }
  void release() { undo_.clear(); }

 private:
  void tell(const std::string& line) const {
    if (options_.tell) options_.tell(line);
  }
  struct Undo {
    std::string what;
    std::function<bool()> remove;
  };
  const ApiOptions& options_;
  std::vector<Undo> undo_;
};

// The function, though an attempt before the one that is told of it may have made it.
FunctionState make_function(Functions& functions, const ApiSettings& settings, const Json& document) {
  try {
    return functions.create(document);
  } catch (const Error& error) {
    if (error.failure() != Failure::conflict || !is_of_run(functions.tags(settings.name), settings)) throw;
    return functions.find(settings.name).value();
  }
}

// All of this run's but the one to keep; whether there was any.
bool remove_apis(ApiGateway& gateway, const ApiSettings& settings, const std::string& kept = {}) {
  bool any = false;
  for (const HttpApi& api : gateway.list(true)) {
    if (api.id == kept || !is_of_run(api.tags, settings)) continue;
    gateway.remove(api.id);
    any = true;
  }
  return any;
}

// A conflict about what is this run's own says that an attempt whose answer was lost has made it.
void make_once(const std::function<void()>& make) {
  try {
    make();
  } catch (const Error& error) {
    if (error.failure() != Failure::conflict) throw;
  }
}

}  // namespace

ApiDocuments api_documents(const ApiSettings& settings, const ApiIds& ids) {
  check(settings);
  const std::string key = "POST " + settings.route;
  return {.function = function_document(settings),
          .api = {{"name", settings.name}, {"protocolType", "HTTP"}, {"tags", tags_of(settings)}},
          .integration = {{"integrationType", "AWS_PROXY"},
                          {"integrationUri", ids.function_arn},
                          {"payloadFormatVersion", "2.0"},
                          {"timeoutInMillis", 30'000}},
          .route = {{"routeKey", key}, {"target", "integrations/" + ids.integration}},
          .stage = {{"stageName", "$default"}, {"autoDeploy", true}},
          .permission = {{"StatementId", "plume-api"},
                         {"Action", "lambda:InvokeFunction"},
                         {"Principal", "apigateway.amazonaws.com"},
                         {"SourceArn", api_arn(ids, settings.route)}}};
}

std::vector<std::pair<std::string, Json>> api_plan(const ApiSettings& settings) {
  ApiDocuments documents = api_documents(settings, {});
  if (!settings.archive.empty())
    documents.function["Code"]["ZipFile"] = fmt::format("{} bytes", settings.archive.size());
  return {{"CreateLogGroup", {{"logGroupName", function_log_group(settings.name)}}},
          {"PutRetentionPolicy",
           {{"logGroupName", function_log_group(settings.name)}, {"retentionInDays", settings.keep_logs}}},
          {"CreateFunction", documents.function},
          {"CreateApi", documents.api},
          {"CreateIntegration", documents.integration},
          {"CreateRoute", documents.route},
          {"CreateStage", documents.stage},
          {"AddPermission", documents.permission}};
}

std::string create_api(ApiServices& services, const ApiSettings& settings, const ApiOptions& options) {
  ApiIds ids;
  const ApiDocuments first = api_documents(settings, ids);
  const auto same_name = [&](const HttpApi& api) { return api.name == settings.name; };
  const std::vector<HttpApi> apis = services.gateway.list();
  if (services.functions.find(settings.name) || std::any_of(apis.begin(), apis.end(), same_name))
    throw cloud_error(Failure::conflict, "there is a function or an API {}: plume cloud api delete {}", settings.name,
                      settings.name);
  Made made(options);
  const std::string group = function_log_group(settings.name);
  if (services.logs.create(group, settings.keep_logs)) {
    made.expect("log group " + group, [&services, group] { return services.logs.remove(group); });
    made.came_about();
  }
  made.expect("function " + settings.name, [&] {
    const bool ours = is_of_run(services.functions.tags(settings.name), settings);
    if (ours) services.functions.remove(settings.name);
    return ours;
  });
  ids.function_arn = make_function(services.functions, settings, first.function).arn;
  made.came_about();
  services.functions.wait_active(settings.name, options.poll, options.timeout);
  made.expect("API " + settings.name, [&] { return remove_apis(services.gateway, settings); });
  const HttpApi api = services.gateway.create(first.api);
  made.came_about();
  remove_apis(services.gateway, settings, api.id);  // each attempt makes another
  ids.api = api.id;
  ids.integration = services.gateway.add_integration(api.id, api_documents(settings, ids).integration);
  const ApiDocuments last = api_documents(settings, ids);
  make_once([&] { services.gateway.add_route(api.id, last.route); });
  make_once([&] { services.gateway.add_stage(api.id, last.stage); });
  make_once([&] { services.functions.allow(settings.name, last.permission); });
  made.release();
  return api.url + settings.route;
}

std::vector<std::string> delete_api(ApiServices& services, const std::string& name, bool foreign) {
  std::vector<HttpApi> apis = services.gateway.list();
  std::erase_if(apis, [&](const HttpApi& api) { return api.name != name; });
  const bool has_function = services.functions.find(name).has_value();
  const auto require_own = [&](const std::string& what, const std::map<std::string, std::string>& tags) {
    if (!foreign && !tags.contains(run_tag))
      throw cloud_error(Failure::conflict, "{} has no tag {}: plume did not make it; --foreign removes it all the same",
                        what, run_tag);
  };
  for (const HttpApi& api : apis) require_own("API " + api.id, api.tags);
  if (has_function) require_own("function " + name, services.functions.tags(name));
  std::vector<std::string> removed;
  for (const HttpApi& api : apis) {
    services.gateway.remove(api.id);
    removed.push_back("API " + api.id);
  }
  if (has_function) {
    services.functions.remove(name);
    removed.push_back("function " + name);
  }
  if (services.logs.remove(function_log_group(name))) removed.push_back("log group " + function_log_group(name));
  if (removed.empty()) throw cloud_error(Failure::not_found, "there is neither a function nor an API {}", name);
  return removed;
}

}  // namespace plume::cloud
