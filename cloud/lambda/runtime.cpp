// Four requests, over a connection to the same machine.
#include "cloud/lambda/runtime.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace plume::lambda {

using namespace cloud;

namespace {

using std::chrono::milliseconds;

constexpr int most_tries = 6;

milliseconds pause_before(int retry) {
  return milliseconds(25L << retry);  // 50 ms, 100 ms, ...: 1.5 s in all
}

std::string error_text(const std::string& type, const std::string& message) {
  const nlohmann::ordered_json text{
      {"errorMessage", message}, {"errorType", type}, {"stackTrace", nlohmann::json::array()}};
  return text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

milliseconds time_until(std::string_view milliseconds_since_1970) {
  long value = 0;
  std::from_chars(milliseconds_since_1970.data(), milliseconds_since_1970.data() + milliseconds_since_1970.size(),
                  value);
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return milliseconds(value) - now;
}

}  // namespace

Runtime::Runtime(std::string api, Transport& transport, const Clock& clock, std::function<void(const std::string&)> log)
    : api_(std::move(api)), transport_(transport), clock_(clock), log_(std::move(log)) {}

HttpRequest Runtime::request(const std::string& method, const std::string& path) const {
  HttpRequest request;
  request.method = method;
  const auto url = parse_url("http://" + api_ + "/2018-06-01/runtime" + path);
  if (!url) throw cloud_error(Failure::usage, "AWS_LAMBDA_RUNTIME_API: {} is no host and port", api_);
  request.url = *url;
  request.by_proxy = false;
  request.timeouts.connect = milliseconds(2000);
  return request;
}

Invocation Runtime::next() {
  HttpRequest get = request("GET", "/invocation/next");
  get.timeouts.stall = get.timeouts.whole = milliseconds(0);
  for (int tries = 1;; ++tries) {
    try {
      HttpResponse reply = transport_.send(get);
      if (reply.status == 200) {
        return {std::string(reply.header("lambda-runtime-aws-request-id")),
                std::string(reply.header("lambda-runtime-trace-id")),
                time_until(reply.header("lambda-runtime-deadline-ms")), std::move(reply.body)};
      }
      throw TransportError(TransportError::Kind::broken, fmt::format("the Runtime API answers {}", reply.status));
    } catch (const TransportError& error) {
      log_(fmt::format("no next event: {}", error.what()));
      if (tries == most_tries) throw;
      clock_.sleep(pause_before(tries), nullptr);
    }
  }
}

int Runtime::post(const std::string& path, const std::string& text, const Headers& headers) {
  TextBody body(text);
  HttpRequest post = request("POST", path);
  post.headers = headers;
  post.headers.push_back({"Content-Type", "application/json"});
  post.body = &body;
  int status = 0;
  for (int tries = 1; tries <= most_tries; ++tries) {
    try {
      status = transport_.send(post).status;
      if (status < 500) return status;
      log_(fmt::format("the Runtime API answers {}", status));
    } catch (const TransportError& error) {
      log_(fmt::format("an answer was not taken: {}", error.what()));
    }
    if (tries < most_tries) clock_.sleep(pause_before(tries), nullptr);
  }
  return status;
}

void Runtime::respond(const Invocation& invocation, const std::string& answer) {
  const int status = post("/invocation/" + invocation.id + "/response", answer);
  if (status >= 200 && status < 300) return;
  log_(fmt::format("{}: the answer of {} bytes was not taken ({})", invocation.id, answer.size(), status));
  if (status >= 400 && status < 500)
    fail(invocation, "Runtime.AnswerRefused", fmt::format("Lambda refused the answer: status {}", status));
}

void Runtime::fail(const Invocation& invocation, const std::string& type, const std::string& message) {
  const int status = post("/invocation/" + invocation.id + "/error", error_text(type, message),
                          {{"Lambda-Runtime-Function-Error-Type", type}});
  if (status < 200 || status >= 300) log_(fmt::format("{}: the error was not taken ({})", invocation.id, status));
}

void Runtime::fail_to_start(const std::string& type, const std::string& message) {
  const int status = post("/init/error", error_text(type, message), {{"Lambda-Runtime-Function-Error-Type", type}});
  if (status < 200 || status >= 300) log_(fmt::format("the error was not taken ({})", status));
}

}  // namespace plume::lambda
