// An HTTP server by itself, with a handler that echoes, and what tests expect of it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "client.hpp"
#include "unet/serve/http/server.hpp"

namespace plume::serve::http {

using tests::Answer;
using tests::Client;
using tests::request_text;

inline constexpr std::size_t budget_bytes = 1 << 20;

// Answers with the request's method, path and body; "/headers" with its headers; "/later" from another thread, once it may;
// "/big" with many bytes; "/dropped" never.
class Echo : public Handler {
 public:
  ~Echo() override {
    if (thread_.joinable()) thread_.join();
  }
  void handle(Request request, Reply reply) override {
    ++handled;
    if (request.path == "/dropped") return;
    if (request.path == "/big") return reply({Status::ok, "text/plain", std::string(std::size_t{32} << 20, 'x'), {}});
    Response response{Status::ok, "text/plain", request.method + " " + request.path + " " + request.body, {}};
    if (request.path == "/headers") {
      response.body.clear();
      for (const Header& header : request.headers) response.body += header.name + ": " + header.value + "\n";
    }
    if (request.path != "/later") return reply(std::move(response));
    thread_ = std::thread([this, response, reply] {
      may_reply.get_future().wait();
      reply(response);
    });
  }
  std::atomic<int> handled{0};
  std::promise<void> may_reply;

 private:
  std::thread thread_;
};

class HttpServer : public testing::Test {
 protected:
  void start() {
    settings_.port = 0;
    server_ = std::make_unique<Server>(settings_, echo_, budget_, counts_);
    server_->start();
  }
  [[nodiscard]] Client connect() const { return Client(server_->port()); }

  static void expect_problem(const std::optional<Answer>& answer, int status, std::string_view part) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->header("content-type"), "application/json");
    EXPECT_EQ(answer->header("connection"), "close");
    const auto body = nlohmann::json::parse(answer->body);
    EXPECT_NE(body.at("detail").get<std::string>().find(part), std::string::npos) << answer->body;
    EXPECT_EQ(body.at("request_id"), answer->header("x-request-id"));
    EXPECT_FALSE(body.at("error").get<std::string>().empty());
  }
  // Sends it all and expects that answer, and that the connection ends.
  void expect_refused(std::string_view bytes, int status, std::string_view part) const {
    Client client = connect();
    client.send(bytes);
    expect_problem(client.receive(), status, part);
    EXPECT_TRUE(client.ends());
  }

  ServerSettings settings_{.max_body = 100'000};
  Echo echo_;
  Budget budget_{budget_bytes};
  Counts counts_;
  std::unique_ptr<Server> server_;
};

}  // namespace plume::serve::http
