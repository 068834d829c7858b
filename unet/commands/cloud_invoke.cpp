// plume cloud invoke: asks an endpoint.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "cloud/s3/download.hpp"
#include "cloud/s3/parallel.hpp"
#include "cloud/sagemaker/runtime.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  CloudOptions cloud;
  std::string endpoint;
  std::string input;
  std::string output;
  std::string content_type;
  std::string accept;
  std::string target_model;
  double timeout = 70;
  std::size_t repeat = 1;
  std::size_t concurrency = 1;
  std::size_t most_mebibytes = cloud::most_payload >> 20;
  bool async = false;
  WaitSettings waiting{.timeout = 3600, .poll = 5};
};

std::string type_of(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  if (extension == ".json") return "application/json";
  if (extension == ".npy") return "application/x-npy";
  if (extension == ".tif" || extension == ".tiff") return "image/tiff";
  if (extension == ".png") return "image/png";
  throw usage_error("{}: what it is cannot be seen from its name: say --content-type", file);
}

std::string content_type(const Arguments& arguments) {
  return arguments.content_type.empty() ? type_of(arguments.input) : arguments.content_type;
}

std::string body_of(const Arguments& arguments) {
  const MappedFile file(arguments.input);
  const std::uint64_t most = arguments.most_mebibytes << 20;
  if (file.bytes().size() > most)
    throw cloud::cloud_error(cloud::Failure::usage,
                             "{} has {} bytes, and an endpoint takes {} (--max-payload); larger ones go by --async",
                             arguments.input, file.bytes().size(), most);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

void put_out(const Arguments& arguments, const cloud::InvocationReply& reply) {
  if (arguments.output.empty()) {
    std::fwrite(reply.body.data(), 1, reply.body.size(), stdout);
    return;
  }
  AtomicFile file(arguments.output);
  file.write(reply.body);
  file.commit();
}

// Of sorted values.
double quantile(const std::vector<double>& values, double share) {
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

void report(const Arguments& arguments, const cloud::InvocationReply& reply, std::vector<double> seconds,
            double whole) {
  std::sort(seconds.begin(), seconds.end());
  const auto milliseconds = [&](double share) { return quantile(seconds, share) * 1000; };
  if (arguments.cloud.json && !arguments.output.empty()) {
    fmt::print("{}\n", Json{{"endpoint", arguments.endpoint},
                            {"output", arguments.output},
                            {"bytes", reply.body.size()},
                            {"content_type", reply.content_type},
                            {"variant", reply.variant},
                            {"requests", seconds.size()},
                            {"p50_ms", milliseconds(0.5)},
                            {"p99_ms", milliseconds(0.99)},
                            {"requests_per_second", static_cast<double>(seconds.size()) / whole}}
                           .dump());
  } else if (arguments.repeat == 1) {
    tell(fmt::format("{} bytes of {} by variant {} in {:.0f} ms", reply.body.size(), reply.content_type, reply.variant,
                     milliseconds(0.5)));
  } else {
    tell(fmt::format("{} requests, {} at a time: p50 {:.0f} ms, p90 {:.0f}, p99 {:.0f}, {:.1f}/s", seconds.size(),
                     arguments.concurrency, milliseconds(0.5), milliseconds(0.9), milliseconds(0.99),
                     static_cast<double>(seconds.size()) / whole));
  }
}

int run_now(const Arguments& arguments, cloud::Session& session) {
  cloud::SageMakerRuntime runtime(session.client(), session.endpoint(cloud::sagemaker_runtime));
  const cloud::Invocation invocation{.endpoint = arguments.endpoint,
                                     .body = body_of(arguments),
                                     .content_type = content_type(arguments),
                                     .accept = arguments.accept,
                                     .target_model = arguments.target_model,
                                     .timeout = std::chrono::milliseconds(static_cast<long>(arguments.timeout * 1000))};
  using SteadyClock = std::chrono::steady_clock;
  std::vector<double> seconds(arguments.repeat);
  cloud::InvocationReply reply;
  std::mutex mutex;
  const auto begin = SteadyClock::now();
  cloud::run_parallel(arguments.repeat, arguments.concurrency, [&](std::size_t i) {
    const auto start = SteadyClock::now();
    cloud::InvocationReply one = runtime.invoke(invocation);
    seconds[i] = std::chrono::duration<double>(SteadyClock::now() - start).count();
    const std::lock_guard lock(mutex);
    reply = std::move(one);
  });
  const double whole = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  put_out(arguments, reply);
  report(arguments, reply, std::move(seconds), whole);
  return 0;
}

// The result, or the reason why there is none, appears on S3.
void await_result(const Arguments& arguments, cloud::Session& session, const cloud::AsyncReply& reply) {
  const auto s3 = session.s3();
  const cloud::ObjectName output = cloud::parse_object_name(reply.output);
  const auto begin = session.clock().now();
  while (!s3->find(output)) {
    if (!reply.failure.empty()) {
      const cloud::ObjectName failure = cloud::parse_object_name(reply.failure);
      if (s3->find(failure))
        throw cloud::cloud_error(cloud::Failure::failed, "endpoint {}: {}", arguments.endpoint, s3->get_text(failure));
    }
    if (session.clock().now() - begin >= std::chrono::duration<double>(arguments.waiting.timeout))
      throw cloud::cloud_error(cloud::Failure::timeout, "{} is not there after {} s", reply.output,
                               arguments.waiting.timeout);
    session.clock().sleep(std::chrono::milliseconds(static_cast<long>(arguments.waiting.poll * 1000)),
                          &StopSignal::flag());
    if (StopSignal::requested())
      throw cloud::cloud_error(cloud::Failure::unavailable, "stopped by a signal; the result will be {}", reply.output);
  }
  download_file(*s3, output, arguments.output);
}

int run_async(const Arguments& arguments, cloud::Session& session) {
  static_cast<void>(cloud::parse_object_name(arguments.input));
  cloud::SageMakerRuntime runtime(session.client(), session.endpoint(cloud::sagemaker_runtime));
  const cloud::AsyncReply reply =
      runtime.invoke_async({arguments.endpoint, arguments.input, content_type(arguments), arguments.accept});
  if (arguments.cloud.json) {
    fmt::print("{}\n", Json{{"endpoint", arguments.endpoint},
                            {"inference_id", reply.inference_id},
                            {"output", reply.output},
                            {"failure", reply.failure}}
                           .dump());
  } else {
    fmt::print("{}\n", reply.output);
  }
  if (!arguments.output.empty()) await_result(arguments, session, reply);
  return 0;
}

int run(const Arguments& arguments) {
  const StopSignal signals;
  const auto session = open_session(arguments.cloud);
  return arguments.async ? run_async(arguments, *session) : run_now(arguments, *session);
}

}  // namespace

void add_cloud_invoke_command(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = cloud_app.add_subcommand("invoke", "Asks an endpoint");
  app->add_option("name", arguments->endpoint, "Of the endpoint")->required();
  app->add_option("--in", arguments->input, "File to send; with --async s3://BUCKET/KEY")->required();
  app->add_option("--out", arguments->output, "File for the answer; by default standard output");
  app->add_option("--content-type", arguments->content_type, "Of the file; by default as its name says");
  app->add_option("--accept", arguments->accept, "Type of the answer; by default the container's choice");
  app->add_option("--target-model", arguments->target_model, "One of several that the container has");
  app->add_option("--max-payload", arguments->most_mebibytes, "MiB that the endpoint takes")->capture_default_str();
  app->add_option("--request-timeout", arguments->timeout, "Seconds for one answer")->capture_default_str();
  app->add_option("--repeat", arguments->repeat, "Ask so many times, and say how long it takes")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app->add_option("--concurrency", arguments->concurrency, "At a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app->add_flag("--async", arguments->async, "Queue the request; prints where the answer will lie, --out waits for it");
  add_wait_options(*app, arguments->waiting);
  add_cloud_options(*app, arguments->cloud);
  app->footer("Example: plume cloud invoke smoke --in tile.npy --accept image/png --out mask.png");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet
