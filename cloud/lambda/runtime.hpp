// A function's side of AWS Lambda's Runtime API: asks for the next event, answers it, asks again.
// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cloud/client/clock.hpp"
#include "cloud/http/transport.hpp"

namespace plume::lambda {

struct Invocation {
  std::string id;
  std::string trace_id;
  std::chrono::milliseconds time_left{0};  // when it was handed out
  std::string event;
};

class Runtime {
 public:
  // What Lambda takes at most as an answer, in bytes.
  static constexpr std::size_t most_answer = 6UL * 1024 * 1024;

  // `api` is AWS_LAMBDA_RUNTIME_API: host:port. Both outlive it. `log` gets a line for each thing that went wrong.
  Runtime(std::string api, cloud::Transport& transport, const cloud::Clock& clock,
          std::function<void(const std::string&)> log);

  // Waits for as long as nobody calls: a sandbox may be frozen meanwhile. Throws TransportError where the API cannot be
  // reached, again and again.
  [[nodiscard]] Invocation next();

  // An answer that does not get through is tried again, and an error said in its place where the API refuses it; what
  // is lost for good is logged, and the next event is served.
  void respond(const Invocation& invocation, const std::string& answer);
  void fail(const Invocation& invocation, const std::string& type, const std::string& message);
  // The function cannot start.
  void fail_to_start(const std::string& type, const std::string& message);

 private:
  [[nodiscard]] cloud::HttpRequest request(const std::string& method, const std::string& path) const;
  // The reply's status; 0: none came, after all tries.
  int post(const std::string& path, const std::string& text, const cloud::Headers& headers = {});

  std::string api_;
  cloud::Transport& transport_;
  const cloud::Clock& clock_;
  std::function<void(const std::string&)> log_;
};

}  // namespace plume::lambda
