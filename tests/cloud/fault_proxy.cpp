// Each fault as it looks to the client.
#include "fault_proxy.hpp"

#include <array>
#include <chrono>
#include <thread>

#include "cloud/s3/checksum.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

constexpr std::array<const char*, 10> names{"none",      "500",   "503 SlowDown", "reset before",   "reset after",
                                            "cut reply", "stall", "corrupt",      "200 with error", "redirect"};

bool is_complete(const ServerRequest& request) {
  return request.method == "POST" && request.target.find("uploadId=") != std::string::npos;
}

std::string error_body(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>at random</Message></Error>";
}

}  // namespace

FaultProxy::FaultProxy(std::string server, double rate, unsigned seed)
    : backend_(std::move(server)),
      rate_(rate),
      generator_(seed),
      server_([this](const ServerRequest& request, ServerConnection& connection) { handle(request, connection); }) {}

std::map<std::string, int> FaultProxy::faults() {
  const std::lock_guard lock(mutex_);
  return faults_;
}

FaultProxy::Fault FaultProxy::draw(const ServerRequest& request) {
  const std::lock_guard lock(mutex_);
  if (std::uniform_real_distribution<double>(0, 1)(generator_) >= rate_) return Fault::none;
  // Stalls are rarer, as each takes seconds.
  std::discrete_distribution<int> kinds{0, 10, 10, 10, 10, 10, 1, 10, 10, 10};
  auto fault = static_cast<Fault>(kinds(generator_));
  if (fault == Fault::ok_with_error && !is_complete(request)) fault = Fault::error_500;
  if (fault == Fault::error_500 && is_complete(request)) fault = Fault::ok_with_error;
  if (fault == Fault::corrupt && request.method != "GET") fault = Fault::reset_before;
  // A client follows once, as a bucket has one region.
  const bool first_time = fault != Fault::redirect || redirected_.insert(request.method + request.target).second;
  if (!first_time) return Fault::none;
  ++faults_[names[static_cast<std::size_t>(fault)]];
  return fault;
}

HttpResponse FaultProxy::forward(const ServerRequest& request) {
  HttpRequest message;
  message.method = request.method;
  message.url = parse_url(backend_ + request.target).value();
  for (const Header& header : request.headers)
    if (!same_but_for_case(header.name, "content-length") && !same_but_for_case(header.name, "connection"))
      message.headers.push_back(header);
  TextBody body(request.body);
  if (request.method == "PUT" || request.method == "POST") message.body = &body;
  return transport_->send(message);
}

void FaultProxy::add_checksum(const ServerRequest& request, HttpResponse& response) {
  if (response.status != 206 || request.method != "GET") return;
  const std::string_view range = response.header("content-range");  // bytes 0-9/10
  const std::size_t size = response.body.size();
  if (range != "bytes 0-" + std::to_string(size - 1) + '/' + std::to_string(size)) return;
  Checksum sum(ChecksumKind::crc32c);
  sum.add(as_bytes(response.body));
  response.headers.push_back({header_of(ChecksumKind::crc32c), sum.finish()});
}

void FaultProxy::handle(const ServerRequest& request, ServerConnection& connection) {
  const Fault fault = draw(request);
  const auto refuse = [&](int status, const char* code) {
    connection.reply(status, request.method == "HEAD" ? std::string() : error_body(code));
  };
  if (fault == Fault::error_500) return refuse(500, "InternalError");
  if (fault == Fault::slow_down) return refuse(503, "SlowDown");
  if (fault == Fault::ok_with_error) return connection.reply(200, error_body("InternalError"));
  if (fault == Fault::reset_before) return connection.reset();
  if (fault == Fault::redirect) {
    const bool west = request.header("authorization").find("/us-west-2/") != std::string::npos;
    return connection.reply(301, {}, {{"x-amz-bucket-region", west ? "us-east-1" : "us-west-2"}});
  }
  if (fault == Fault::stall) {
    std::this_thread::sleep_for(std::chrono::seconds(10));
    return connection.close();
  }
  HttpResponse response;
  try {
    response = forward(request);
  } catch (const std::exception&) {
    return connection.reset();
  }
  const bool lost = fault == Fault::reset_after || fault == Fault::cut_reply;
  if (lost && response.ok() && request.target.ends_with("?uploads=")) ++lost_uploads_;
  if (fault == Fault::reset_after) return connection.reset();
  add_checksum(request, response);
  const std::string length(response.header("content-length"));
  std::erase_if(response.headers, [](const Header& header) {
    return same_but_for_case(header.name, "content-length") || same_but_for_case(header.name, "connection");
  });
  if (request.method == "HEAD")
    return connection.reply_head(response.status, length.empty() ? 0 : std::stoul(length), response.headers);
  // Without a checksum nobody could tell.
  const bool can_tell = !response.header(header_of(ChecksumKind::crc32c)).empty() && !response.body.empty();
  if (fault == Fault::corrupt && can_tell) response.body[response.body.size() / 2] ^= 1;
  if (fault == Fault::cut_reply && !response.body.empty()) {
    connection.reply_head(response.status, response.body.size(), response.headers);
    connection.send(std::string_view(response.body).substr(0, response.body.size() / 2));
    return connection.reset();
  }
  connection.reply(response.status, response.body, response.headers);
}

}  // namespace plume::tests
