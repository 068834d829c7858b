// Routing, and the answers that need no computing.
#include "unet/serve/api.hpp"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/strict_json.hpp"
#include "unet/serve/media_type.hpp"
#include "unet/serve/metrics.hpp"
#include "unet/serve/resources.hpp"

namespace plume::serve {
namespace {

constexpr std::string_view json_type = "application/json";

http::Header no_sniffing() {
  return {"X-Content-Type-Options", "nosniff"};
}

http::Response json_response(const nlohmann::ordered_json& body) {
  return {Status::ok, std::string(json_type), body.dump() + "\n", {}};
}

// Of that type and no other: a page of another site may make a browser send plain text here, but not this.
nlohmann::json parse(const http::Request& request) {
  const auto type = parse_media_type(request.header("Content-Type"));
  if (!type || type->name != json_type) {
    throw request_error(Status::unsupported_media_type, "Content-Type has to be {}", json_type);
  }
  try {
    return nn::parse_strict_json(request.body);
  } catch (const Error& error) {
    throw RequestError(Status::bad_request, error.what());
  }
}

// Whether a path has the pattern's parts; what stands for "{name}" becomes the name.
bool fits(std::string_view path, std::string_view pattern, std::string& name) {
  static constexpr std::string_view any = "{name}";
  const auto at = pattern.find(any);
  if (at == std::string_view::npos) return path == pattern;
  const std::string_view before = pattern.substr(0, at);
  const std::string_view behind = pattern.substr(at + any.size());
  if (path.size() <= before.size() + behind.size() || !path.starts_with(before) || !path.ends_with(behind))
    return false;
  const std::string_view part = path.substr(before.size(), path.size() - before.size() - behind.size());
  if (part.find('/') != std::string_view::npos) return false;
  name = part;
  return true;
}

}  // namespace

Api::Api(const ApiSettings& settings, ModelStore& models, Budget& budget, const http::Counts& http_counts)
    : settings_(settings),
      models_(models),
      budget_(budget),
      http_counts_(http_counts),
      routes_(routes()),
      scheduler_(settings.scheduler, Invocation::compute) {}

std::vector<Api::Route> Api::routes() const {
  std::vector<Route> all{{"GET", "/ping", &Api::ping},
                         {"GET", "/openapi.json", &Api::openapi},
                         {"GET", "/metrics", &Api::metrics},
                         {"GET", "/execution-parameters", &Api::execution_parameters}};
  if (settings_.multi_model) {
    all.insert(all.end(), {{"GET", "/models", &Api::list_models},
                           {"POST", "/models", &Api::load_model, true},
                           {"GET", "/models/{name}", &Api::show_model},
                           {"DELETE", "/models/{name}", &Api::unload_model, true},
                           {"POST", "/models/{name}/invoke"}});
  } else {
    all.insert(all.end(), {{"POST", "/invocations"},
                           {"GET", "/", &Api::page},
                           {"GET", "/samples", &Api::list_samples},
                           {"GET", "/samples/{name}", &Api::show_sample, true}});
  }
  return all;
}

void Api::handle(http::Request request, http::Reply reply) {
  std::string allowed;
  for (const Route& route : routes_) {
    std::string name;
    if (!fits(request.path, route.path, name)) continue;
    if (request.method == route.method || (request.method == "HEAD" && route.method == "GET")) {
      if (route.answer == nullptr) return invoke(std::move(request), reply, name.empty() ? only_model : name);
      return answer(route, std::move(request), std::move(reply), std::move(name));
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method) + (route.method == "GET" ? ", HEAD" : "");
  }
  if (allowed.empty()) return reply(http::problem(Status::not_found, "there is nothing at this path", request.id));
  auto response = http::problem(Status::method_not_allowed, "this path takes " + allowed, request.id);
  response.headers.push_back({"Allow", allowed});
  reply(std::move(response));
}

void Api::answer(const Route& route, http::Request request, http::Reply reply, std::string name) {
  auto work = [this, act = route.answer, request = std::move(request), reply, name = std::move(name)] {
    try {
      reply((this->*act)(request, name));
    } catch (...) {
      reply(response_to(std::current_exception(), request.id));
    }
  };
  if (!route.slow) return work();
  const std::string id = request.id;
  if (!management_.post(std::move(work))) {
    reply(http::problem(Status::service_unavailable, "too many models and samples are being loaded", id));
  }
}

void Api::invoke(http::Request request, const http::Reply& reply, const std::string& model) {
  const std::string id = request.id;
  try {
    if (state_ == State::starting) throw RequestError(Status::service_unavailable, "the model is being loaded");
    const auto job =
        std::make_shared<Invocation>(std::move(request), reply, models_.find(model), settings_.invocation, budget_);
    if (!scheduler_.submit(job)) throw RequestError(Status::service_unavailable, "the queue is full");
  } catch (...) {
    reply(response_to(std::current_exception(), id));
  }
}

void Api::stop() {
  management_.stop();
  scheduler_.stop();
}

http::Response Api::ping(const http::Request& request, const std::string& /*name*/) {
  if (state_ == State::ready) return {};
  return http::problem(Status::service_unavailable, "the server is starting or ending", request.id);
}

http::Response Api::page(const http::Request& /*request*/, const std::string& /*name*/) {
  // The page has the rest of its policy; this part counts in a header alone.
  return {Status::ok,
          "text/html; charset=utf-8",
          std::string(page_html),
          {{"Content-Security-Policy", "frame-ancestors 'none'"}, no_sniffing()}};
}

http::Response Api::openapi(const http::Request& /*request*/, const std::string& /*name*/) {
  return {Status::ok, std::string(json_type), std::string(openapi_json), {}};
}

http::Response Api::metrics(const http::Request& /*request*/, const std::string& /*name*/) {
  return {Status::ok, "text/plain; version=0.0.4; charset=utf-8", metrics_text(scheduler_, http_counts_, budget_), {}};
}

http::Response Api::list_samples(const http::Request& /*request*/, const std::string& /*name*/) {
  return json_response({{"samples", settings_.samples.names()}});
}

http::Response Api::show_sample(const http::Request& /*request*/, const std::string& name) {
  Samples::Sample sample = settings_.samples.read(name);
  return {Status::ok, std::move(sample.content_type), std::move(sample.content), {no_sniffing()}};
}

// What SageMaker's batch transform asks before it begins.
http::Response Api::execution_parameters(const http::Request& /*request*/, const std::string& /*name*/) {
  return json_response({{"MaxConcurrentTransforms", settings_.scheduler.workers},
                        {"BatchStrategy", "SINGLE_RECORD"},
                        {"MaxPayloadInMB", settings_.max_body >> 20}});
}

http::Response Api::list_models(const http::Request& /*request*/, const std::string& /*name*/) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& model : models_.list()) list.push_back({{"modelName", model.name}, {"modelUrl", model.path}});
  return json_response({{"models", list}});
}

http::Response Api::show_model(const http::Request& /*request*/, const std::string& name) {
  return json_response({{"modelName", name}, {"modelUrl", models_.find(name)->path().string()}});
}

http::Response Api::load_model(const http::Request& request, const std::string& /*name*/) {
  const auto body = parse(request);
  const auto text = [&](const char* key) {
    if (body.is_object() && body.contains(key) && body[key].is_string()) return body[key].get<std::string>();
    throw request_error(Status::bad_request, "the body must be {{\"model_name\": ..., \"url\": ...}}");
  };
  models_.add(text("model_name"), text("url"));
  return {};
}

http::Response Api::unload_model(const http::Request& /*request*/, const std::string& name) {
  models_.remove(name);
  return {};
}

}  // namespace plume::serve
