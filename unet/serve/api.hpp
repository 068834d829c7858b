// The paths of the server and what each does.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "unet/serve/budget.hpp"
#include "unet/serve/http/counts.hpp"
#include "unet/serve/http/message.hpp"
#include "unet/serve/invocation.hpp"
#include "unet/serve/model_store.hpp"
#include "unet/serve/samples.hpp"
#include "unet/serve/scheduler.hpp"
#include "unet/serve/task_thread.hpp"

namespace plume::serve {

struct ApiSettings {
  InvocationSettings invocation;
  SchedulerSettings scheduler;
  bool multi_model = false;
  std::size_t max_body = 0;  // as the HTTP server has it
  Samples samples;
};

class Api : public http::Handler {
 public:
  // What is given by reference must outlive it.
  Api(const ApiSettings& settings, ModelStore& models, Budget& budget, const http::Counts& http_counts);

  void handle(http::Request request, http::Reply reply) override;

  // At first a model is being loaded, and nothing is computed; in the end only what comes from connections that are open.
  // /ping says that all is well in between.
  enum class State { starting, ready, ending };
  void set_state(State state) { state_ = state; }

  // Answers all that is left; later requests are refused.
  void stop();

  // The name under which the store has the model that /invocations uses.
  static constexpr const char* only_model = "model";

 private:
  using Answer = http::Response (Api::*)(const http::Request& request, const std::string& name);
  struct Route {
    std::string_view method;
    std::string_view path;    // "{name}" between slashes is any part
    Answer answer = nullptr;  // null: an invocation
    bool slow = false;        // to be done by a thread of its own
  };
  [[nodiscard]] std::vector<Route> routes() const;

  [[nodiscard]] http::Response ping(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response page(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response openapi(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response metrics(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response list_samples(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response show_sample(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response execution_parameters(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response list_models(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response show_model(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response load_model(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response unload_model(const http::Request& request, const std::string& name);

  void answer(const Route& route, http::Request request, http::Reply reply, std::string name);
  void invoke(http::Request request, const http::Reply& reply, const std::string& model);

  ApiSettings settings_;
  ModelStore& models_;
  Budget& budget_;
  const http::Counts& http_counts_;
  std::vector<Route> routes_;
  std::atomic<State> state_{State::starting};
  TaskThread management_{16};  // loads and unloads models, reads samples
  Scheduler scheduler_;
};

}  // namespace plume::serve
