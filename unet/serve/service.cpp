// From what users set to what each part takes.
#include "unet/serve/service.hpp"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace plume::serve {
namespace {

std::size_t mebibytes(double count) {
  return static_cast<std::size_t>(count * (1 << 20));
}

// A model's folder may bring images to try it with.
Samples samples_of(const ServeSettings& settings) {
  if (!settings.samples.empty()) return Samples(settings.samples);
  const std::filesystem::path own = settings.model / "samples";
  std::error_code failed;
  return std::filesystem::is_directory(own, failed) ? Samples(own) : Samples();
}

int or_cores(int count) {
  return count > 0 ? count : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

ApiSettings api_settings(const ServeSettings& settings, const Device& device) {
  ApiSettings api;
  api.invocation.threshold = settings.threshold;
  api.invocation.default_accept = settings.default_accept;
  api.scheduler.workers = or_cores(settings.workers);
  api.scheduler.lanes = device.is_gpu() ? 1 : api.scheduler.workers;
  api.scheduler.max_batch = settings.max_batch;
  api.scheduler.max_wait = std::chrono::microseconds(static_cast<std::int64_t>(settings.max_wait * 1000));
  api.scheduler.max_queue = static_cast<std::size_t>(settings.max_queue);
  api.scheduler.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(settings.timeout * 1000));
  api.multi_model = settings.multi_model;
  api.max_body = mebibytes(settings.max_payload);
  api.samples = samples_of(settings);
  return api;
}

http::ServerSettings http_settings(const ServeSettings& settings) {
  http::ServerSettings http;
  http.host = settings.host;
  http.port = settings.port;
  http.max_body = mebibytes(settings.max_payload);
  http.max_connections = static_cast<std::size_t>(settings.max_connections);
  http.access_log = settings.access_log;
  return http;
}

}  // namespace

Service::Service(const ServeSettings& settings)
    : settings_(settings),
      budget_(mebibytes(settings.max_in_flight)),
      device_(settings.device, settings.threads),
      models_(device_, {.folder = settings.models_folder,
                        .memory_limit = mebibytes(settings.memory_limit),
                        .prediction = settings.prediction}),
      api_(api_settings(settings, device_), models_, budget_, counts_),
      server_(http_settings(settings), api_, budget_, counts_) {
  server_.start();
}

// First all answers are given, while there still is someone to take them.
Service::~Service() {
  api_.stop();
}

void Service::load() {
  if (!settings_.multi_model) models_.load(Api::only_model, settings_.model);
  api_.set_state(Api::State::ready);
}

void Service::rest() {
  std::uint64_t answered = 0;
  for (const auto& count : counts_.answers) answered += count;
  const bool busy = std::exchange(answered_, answered) != answered || budget_.used() > 0;
  if (!busy && !rested_) ::malloc_trim(0);
  rested_ = !busy;
}

bool Service::drain(std::chrono::milliseconds limit) {
  api_.set_state(Api::State::ending);
  return server_.drain(limit);
}

std::string Service::describe() const {
  const std::string host = settings_.host.find(':') == std::string::npos ? settings_.host : "[" + settings_.host + "]";
  const std::string address = fmt::format("http://{}:{}", host, server_.port());
  if (settings_.multi_model) return fmt::format("models of {} on {}", settings_.models_folder.string(), address);
  const auto model = models_.find(Api::only_model);
  return fmt::format("{} ({}) on {}", model->path().string(), device_.describe(), address);
}

}  // namespace plume::serve
