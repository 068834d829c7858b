// Everything that goes wrong becomes a status.
#include "cloud/lambda/function.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cloud/client/retry.hpp"
#include "cloud/s3/open.hpp"
#include "cloud/sagemaker/runtime.hpp"

namespace plume::lambda {

using namespace cloud;

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds margin{250};  // in which an answer is given that time is over
constexpr std::uint64_t mebibyte = 1 << 20;

// What an error says of itself; a plume-infer's is in JSON.
std::string detail_of(const std::string& message) {
  const auto document = json::parse(message, nullptr, false);
  return document.is_object() ? document.value("detail", message) : message;
}

Answer busy(int status, const HttpResponse& reply, const std::string& request_id) {
  Answer answer = problem(status, "the endpoint is busy", request_id);
  const std::string_view asked = reply.header("retry-after");
  answer.headers.push_back({"Retry-After", std::string(asked.empty() ? "1" : asked)});
  return answer;
}

// The model's own container has refused: what it found wrong with the image is for the caller to know.
Answer answer_of_model_error(const HttpResponse& reply, const std::string& request_id) {
  const auto document = json::parse(reply.body, nullptr, false);
  int status = 0;
  std::string message;
  if (document.is_object()) {
    if (const auto found = document.find("OriginalStatusCode"); found != document.end() && found->is_number_integer())
      status = found->get<int>();
    if (const auto found = document.find("OriginalMessage"); found != document.end() && found->is_string())
      message = found->get<std::string>();
  }
  if (status == 429 || status == 503) return busy(status, reply, request_id);
  const bool callers = status >= 400 && status < 500 && status != 408;
  return callers ? problem(status, detail_of(message), request_id)
                 : problem(502, "the model's container failed", request_id);
}

Answer answer_of_error(const cloud::Error& error, const std::string& request_id) {
  if (error.code() == "EntityTooLarge") return problem(413, error.what(), request_id);
  switch (error.failure()) {
    case Failure::usage: return problem(400, error.what(), request_id);
    case Failure::not_found: return problem(404, "there is no such object", request_id);
    case Failure::credentials: return problem(403, "the function may not read that object", request_id);
    case Failure::timeout: return problem(504, "no answer in time", request_id);
    default: return problem(502, "the object cannot be read", request_id);
  }
}

}  // namespace

Settings settings_of(const Surroundings& surroundings) {
  Settings settings;
  settings.endpoint = surroundings.word("ENDPOINT_NAME").value_or("");
  if (settings.endpoint.empty())
    throw cloud_error(Failure::usage, "ENDPOINT_NAME is not set: it names the SageMaker endpoint");
  settings.images.bucket = surroundings.word("PLUME_BUCKET").value_or("");
  const std::string most = surroundings.word("PLUME_MAX_PAYLOAD").value_or("6");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(most.data(), most.data() + most.size(), value);
  if (error != std::errc() || end != most.data() + most.size() || value < 1 || value > 1024)
    throw cloud_error(Failure::usage, "PLUME_MAX_PAYLOAD: {} is no number of MiB from 1 to 1024", most);
  settings.images.most = value * mebibyte;
  return settings;
}

struct Function::Report {
  std::size_t bytes_in = 0;
  bool from_s3 = false;
  std::string error;  // a code, or our own words
};

Function::Function(Settings settings, const Config& config, Transport& transport, CredentialSource& keys,
                   std::function<void(const std::string&)> log)
    : settings_(std::move(settings)), config_(config), transport_(transport), keys_(keys), log_(std::move(log)) {}

std::string Function::operator()(const Invocation& invocation) {
  const Clock& clock = config_.surroundings().clock;
  const milliseconds begin = clock.elapsed();
  Report report;
  Answer given = answer(invocation, report);
  std::string text = to_json(given);
  if (text.size() > Runtime::most_answer) {
    report.error = "answer too large";
    given = problem(502,
                    fmt::format("the answer takes {} bytes, and Lambda passes on at most {}: ask for "
                                "application/x-npy or image/png by Accept, or send a smaller image",
                                text.size(), Runtime::most_answer),
                    invocation.id);
    text = to_json(given);
  }
  nlohmann::ordered_json line{
      {"request_id", invocation.id}, {"status", given.status},   {"source", report.from_s3 ? "s3" : "body"},
      {"bytes_in", report.bytes_in}, {"bytes_out", text.size()}, {"ms", (clock.elapsed() - begin).count()}};
  if (!report.error.empty()) line["error"] = report.error;
  log_(line.dump(-1, ' ', false, json::error_handler_t::replace));
  return text;
}

Answer Function::answer(const Invocation& invocation, Report& report) {
  try {
    return ask(invocation, report);
  } catch (const RequestError& error) {
    return problem(error.status(), error.what(), invocation.id);
  } catch (const TransportError& error) {
    report.error = error.what();
    const bool late = error.kind() == TransportError::Kind::timeout;
    return problem(late ? 504 : 502, late ? "no answer in time" : "AWS cannot be reached", invocation.id);
  } catch (const cloud::Error& error) {
    report.error = error.code().empty() ? error.what() : error.code();
    return answer_of_error(error, invocation.id);
  } catch (const std::exception& error) {
    report.error = error.what();
    return problem(500, "a fault of the function", invocation.id);
  }
}

Answer Function::ask(const Invocation& invocation, Report& report) {
  const Clock& clock = config_.surroundings().clock;
  const milliseconds time = std::max(invocation.time_left - margin, milliseconds(1));
  ClientSettings client_settings;
  client_settings.attempts = config_.attempts().value_or(3);
  client_settings.user_agent = "plume-lambda";
  client_settings.timeouts.stall = milliseconds(0);  // a model may think as long as there is time
  client_settings.deadline = clock.elapsed() + time;

  const Request request = parse_event(invocation.event);
  if (request.method != "POST") {
    Answer refusal = problem(405, "predictions are asked for by POST", invocation.id);
    refusal.headers.push_back({"Allow", "POST"});
    return refusal;
  }
  S3 s3(transport_, &keys_, clock, s3_settings(config_), client_settings);
  Image image = image_of(request, settings_.images, s3);
  report.bytes_in = image.bytes.size();
  report.from_s3 = image.from_s3;

  ServiceClient client(transport_, &keys_, clock, client_settings);
  SageMakerRuntime runtime(client, service_endpoint(sagemaker_runtime, config_.endpoint_choice(sagemaker_runtime)));
  const HttpResponse reply = runtime.answer({.endpoint = settings_.endpoint,
                                             .body = std::move(image.bytes),
                                             .content_type = image.content_type,
                                             .accept = std::string(request.header("accept")),
                                             .custom_attributes = std::string(request.header(custom_attributes_header)),
                                             .timeout = time});
  if (!reply.ok()) report.error = parse_service_error(reply).code;
  return answer_of(reply, invocation.id);
}

Answer answer_of(const HttpResponse& reply, const std::string& request_id) {
  if (reply.ok()) {
    const std::string_view type = reply.header("content-type");
    Answer answer{200, {{"Content-Type", std::string(type.empty() ? "application/octet-stream" : type)}}, reply.body};
    if (const std::string_view attributes = reply.header(custom_attributes_header); !attributes.empty())
      answer.headers.push_back({custom_attributes_header, std::string(attributes)});
    return answer;
  }
  const ServiceError error = parse_service_error(reply);
  if (error.code == "ModelError") return answer_of_model_error(reply, request_id);
  if (fault_of(error) == Fault::throttled) return busy(429, reply, request_id);
  if (reply.status == 413) return problem(413, "the image is too large for the endpoint", request_id);
  if (reply.status == 503) return busy(503, reply, request_id);
  if (reply.status == 504 || reply.status == 408) return problem(504, "no answer in time", request_id);
  return problem(502, fmt::format("the endpoint cannot be asked: {}", error.code), request_id);
}

}  // namespace plume::lambda
