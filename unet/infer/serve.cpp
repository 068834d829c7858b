// plume-infer serve: options and SageMaker's variables, and a server's life between its signals.
#include <fmt/core.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "kernels/base/error.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/serve/service.hpp"

namespace plume::unet::infer {
namespace {

namespace fs = std::filesystem;
using serve::ServeSettings;

char command_name[] = "serve";                   // an argument, which main() could have been given
constexpr std::chrono::seconds drain_limit{25};  // SageMaker and others kill 30 s after they ask

// SIGTERM and SIGINT wait to be taken, in every thread that begins from now on.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGTERM);
    ::sigaddset(&signals_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  ~StopSignals() { ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Whether one came within the time. The next one after that ends the process as usual.
  [[nodiscard]] bool wait_for(std::chrono::seconds time) {
    const timespec limit{time.count(), 0};
    if (::sigtimedwait(&signals_, nullptr, &limit) < 0) return false;
    ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
    return true;
  }

 private:
  sigset_t signals_{};
};

std::string mebibytes_text(const char* what) {
  return fmt::format("{}, in MiB", what);
}

// Threads of OpenMP spin while they wait for each other, unless a variable says otherwise before the program begins. On a machine
// where others work too that makes requests take many times as long now and then, so it begins anew with the variable.
// Where it cannot, it goes on as it is.
void wait_passively(std::vector<char*> arguments) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
}

// A container's arguments are not its user's to choose: what SageMaker has no variable for is taken from PLUME_MAX_BATCH for
// --max-batch, and so on.
void take_settings_of_environment(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help" || !option->get_envname().empty())
      continue;
    std::string name = "PLUME_" + option->get_lnames().front();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    option->envname(name);
  }
}

int run_serve(const ServeSettings& settings) {
  if (settings.model.empty() && !settings.multi_model) throw usage_error("name the model to serve");
  if (settings.max_payload > settings.max_in_flight)
    throw usage_error("--max-payload {} is more than --max-in-flight {}, so no such request could be taken",
                      settings.max_payload, settings.max_in_flight);
  ::signal(SIGPIPE, SIG_IGN);  // whoever read the log may go
  StopSignals signals;
  serve::Service service(settings);
  service.load();
  fmt::print(stderr, "plume-infer: serving {}\n", service.describe());
  while (!signals.wait_for(std::chrono::seconds(1))) service.rest();
  fmt::print(stderr, "plume-infer: ending\n");
  if (service.drain(drain_limit)) return 0;
  fmt::print(stderr, "plume-infer: some requests could not be answered within {} s\n", drain_limit.count());
  std::_Exit(static_cast<int>(ErrorKind::environment));  // what computes still would be waited for
}

}  // namespace

Call read_call(int argc, char** argv) {
  Call call{.as_container = false, .arguments = {argv, argv + argc}};
  if (argc < 1) return call;
  const bool named = fs::path(argv[0]).filename() == command_name;
  if (named && (argc < 2 || std::string_view(argv[1]) != command_name)) {
    call.arguments.insert(call.arguments.begin() + 1, command_name);
  }
  call.as_container = named || (argc == 2 && std::string_view(argv[1]) == command_name);
  return call;
}

void add_serve_command(CLI::App& app, Action& action, const Call& call) {
  auto settings = std::make_shared<ServeSettings>();
  settings->host = call.as_container ? "0.0.0.0" : "127.0.0.1";
  if (call.as_container) settings->model = "/opt/ml/model";
  settings->models_folder = "/opt/ml/models";
  CLI::App* command = app.add_subcommand(command_name, "Answers predictions over HTTP, as SageMaker's containers do");
  command->add_option("model,--model", settings->model, "A .safetensors that plume wrote, or a folder with one")
      ->capture_default_str();
  command
      ->add_flag("--multi-model", settings->multi_model,
                 "Begin without a model; clients load and unload some by POST /models")
      ->envname("SAGEMAKER_MULTI_MODEL");
  command->add_option("--models-folder", settings->models_folder, "Where the models are that clients may load")
      ->capture_default_str();
  command
      ->add_option("--memory-limit", settings->memory_limit,
                   mebibytes_text("No model is loaded that brings the process beyond (0: any)"))
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--host", settings->host, "Address to listen on; 0.0.0.0: all")->capture_default_str();
  command->add_option("--port", settings->port, "0: any that is free")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535))
      ->envname("SAGEMAKER_BIND_TO_PORT");
  command->add_option("--workers", settings->workers, "Threads that parse, compute and encode (0: one a core)")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->envname("SAGEMAKER_MODEL_SERVER_WORKERS");
  command
      ->add_option("--threads", settings->threads,
                   "Threads for a request that is alone (0: one a core); of several each has one")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command->add_option("--max-batch", settings->max_batch, "Images of one size that are computed together")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command->add_option("--max-wait-ms", settings->max_wait, "How long a request waits for others to fill a batch")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 60'000.0));
  command->add_option("--max-queue", settings->max_queue, "Requests that may wait; more are answered with 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--timeout", settings->timeout, "Seconds that a request may wait before it is answered with 503")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 86'400.0))
      ->envname("SAGEMAKER_MODEL_SERVER_TIMEOUT");
  command->add_option("--max-payload", settings->max_payload, mebibytes_text("Largest body of a request"))
      ->capture_default_str()
      ->check(CLI::Range(0.001, 2048.0))
      ->envname("SAGEMAKER_MAX_PAYLOAD_IN_MB");
  command->add_option("--max-in-flight", settings->max_in_flight, mebibytes_text("Memory for all requests at hand"))
      ->capture_default_str()
      ->check(CLI::Range(1.0, 1'000'000.0));
  command->add_option("--max-connections", settings->max_connections, "Fewer where the system allows fewer open files")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--threshold", settings->threshold,
                   "Smoke is where the probability is above, unless a request says otherwise; default: as beside the "
                   "model, or 0.5")
      ->check(CLI::Range(0.0F, 1.0F));
  command->add_option("--default-accept", settings->default_accept, "Type of the answer where a request does not care")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>(serve::answer_types.begin(), serve::answer_types.end())))
      ->envname("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT");
  command->add_option("--samples", settings->samples,
                      "Folder of images that the page offers; by default the folder samples of the model's");
  command->add_flag("--access-log", settings->access_log, "A line of JSON per request on stderr");
  add_tile_option(*command, settings->prediction.tiles.edge);
  add_blend_options(*command, settings->prediction.tiles);
  add_test_time_option(*command, settings->prediction.test_time);
  add_device_options(*command, settings->device);
  take_settings_of_environment(*command);
  command->callback([settings, &action, &call] {
    action = [settings, arguments = call.arguments] {
      wait_passively(arguments);
      return run_serve(*settings);
    };
  });
}

}  // namespace plume::unet::infer
