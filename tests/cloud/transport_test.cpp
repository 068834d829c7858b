// Both transports, over real sockets on this machine.
#include "cloud/http/transport.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "../scratch_folder.hpp"
#include "cloud/client/clock.hpp"
#include "cloud/http/direct_transport.hpp"
#include "cloud/signing/digest.hpp"
#include "loopback_server.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using namespace std::chrono_literals;

HttpRequest request_to(const std::string& url, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.url = parse_url(url).value();
  return request;
}

void echo(const ServerRequest& request, ServerConnection& connection) {
  connection.reply(200, request.method + ' ' + request.target + ' ' + request.body, {{"X-Echo", "yes"}});
}

class Collected final : public BodySink {
 public:
  void begin(const HttpResponse& head) override {
    status = head.status;
    text.clear();
  }
  void write(std::span<const std::byte> bytes) override {
    if (fails) throw std::runtime_error("the disk is full");
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  int status = 0;
  std::string text;
  bool fails = false;
};

TransportError::Kind kind_of(Transport& transport, const HttpRequest& request) {
  try {
    static_cast<void>(transport.send(request));
  } catch (const TransportError& error) {
    EXPECT_NE(std::string(error.what()).find(request.url.authority()), std::string::npos) << error.what();
    return error.kind();
  }
  ADD_FAILURE() << "a reply";
  return TransportError::Kind::cancelled;
}

using MakeTransport = std::unique_ptr<Transport> (*)(const TransportSettings&);

class TransportTest : public testing::TestWithParam<MakeTransport> {
 protected:
  static std::unique_ptr<Transport> make(const TransportSettings& settings = {}) { return GetParam()(settings); }
  std::unique_ptr<Transport> transport_ = make();
};

INSTANTIATE_TEST_SUITE_P(All, TransportTest, testing::Values(&make_transport, &make_direct_transport),
                         [](const auto& kind) { return kind.param == &make_transport ? "Curl" : "Direct"; });

TEST_P(TransportTest, SendsAPathAsItIs) {
  LoopbackServer server(echo);
  const HttpResponse response = transport_->send(request_to(server.url() + "/a//./../b%20c/?x=%2F&y"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("x-echo"), "yes");
  EXPECT_EQ(response.body, "GET /a//./../b%20c/?x=%2F&y ");
}

TEST_P(TransportTest, SendsAndReceivesBodies) {
  LoopbackServer server([](const ServerRequest& request, ServerConnection& connection) {
    EXPECT_EQ(request.header("expect"), "");
    EXPECT_EQ(request.header("x-empty"), "");
    EXPECT_EQ(request.header("content-length"), std::to_string(request.body.size()));
    connection.reply(200, request.body);
  });
  std::string text(5'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7919 >> 8);
  TextBody body(text);
  Collected sink;
  HttpRequest put = request_to(server.url() + "/", "PUT");
  put.headers = {{"X-Empty", ""}};
  put.body = &body;
  put.sink = &sink;
  const HttpResponse response = transport_->send(put);
  EXPECT_TRUE(sink.text == text);
  EXPECT_EQ(sink.status, 200);
  EXPECT_TRUE(response.body.empty());
}

TEST_P(TransportTest, KnowsRequestsWithoutABody) {
  LoopbackServer server([](const ServerRequest& request, ServerConnection& connection) {
    if (request.method == "HEAD") {
      connection.reply_head(200, 1000, {{"ETag", "x"}});
    } else {
      connection.reply(204, {}, {{"X-Length", request.header("content-length")}});
    }
  });
  EXPECT_EQ(transport_->send(request_to(server.url() + "/", "HEAD")).header("content-length"), "1000");
  EXPECT_EQ(transport_->send(request_to(server.url() + "/", "POST")).header("x-length"), "0");
  EXPECT_EQ(transport_->send(request_to(server.url() + "/", "DELETE")).status, 204);
}

TEST_P(TransportTest, KeepsTheExplanationOfAFailureFromTheSink) {
  LoopbackServer server([](const ServerRequest&, ServerConnection& connection) { connection.reply(404, "why"); });
  Collected sink;
  HttpRequest get = request_to(server.url() + "/");
  get.sink = &sink;
  EXPECT_EQ(transport_->send(get).body, "why");
  EXPECT_EQ(sink.status, 0);
}

TEST_P(TransportTest, ReusesItsConnection) {
  LoopbackServer server(echo);
  for (int i = 0; i < 20; ++i) static_cast<void>(transport_->send(request_to(server.url() + "/")));
  EXPECT_EQ(server.requests(), 20);
  EXPECT_EQ(server.connections(), 1);
}

TEST_P(TransportTest, SendsAgainWhereAKeptConnectionWasClosed) {
  LoopbackServer server([](const ServerRequest& request, ServerConnection& connection) {
    connection.reply(200, request.body);
    connection.close();  // without a word
  });
  for (int i = 0; i < 5; ++i) {
    TextBody body("again");
    HttpRequest put = request_to(server.url() + "/", "PUT");
    put.body = &body;
    EXPECT_EQ(transport_->send(put).body, "again");
  }
}

TEST_P(TransportTest, ServesManyThreads) {
  LoopbackServer server(echo);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 25; ++i) {
        const std::string path = fmt::format("/{}/{}", thread, i);
        if (transport_->send(request_to(server.url() + path)).body == fmt::format("GET {} ", path)) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 200);
  EXPECT_LE(server.connections(), 8);
}

TEST_P(TransportTest, TellsHowAConnectionFailed) {
  using Kind = TransportError::Kind;
  LoopbackServer server([](const ServerRequest& request, ServerConnection& connection) {
    if (request.target == "/reset") return connection.reset();
    if (request.target == "/close") return connection.close();
    connection.reply_head(200, 1000);
    connection.send("only this");
    connection.close();
  });
  EXPECT_EQ(kind_of(*transport_, request_to(server.url() + "/reset")), Kind::broken);
  EXPECT_EQ(kind_of(*transport_, request_to(server.url() + "/close")), Kind::broken);
  EXPECT_EQ(kind_of(*transport_, request_to(server.url() + "/short")), Kind::broken);
  EXPECT_EQ(kind_of(*transport_, request_to("http://name.invalid/")), Kind::unreachable);
  int free_port = 0;
  {
    const LoopbackServer gone(echo);
    free_port = gone.port();
  }
  EXPECT_EQ(kind_of(*transport_, request_to(fmt::format("http://127.0.0.1:{}/", free_port))), Kind::unreachable);
}

TEST_P(TransportTest, WaitsNoLongerThanItIsTold) {
  LoopbackServer server([](const ServerRequest&, ServerConnection& connection) {
    connection.reply_head(200, 1000);
    connection.send("and then nothing");  // nor does it close
  });
  HttpRequest get = request_to(server.url() + "/");
  get.timeouts.whole = 200ms;
  EXPECT_EQ(kind_of(*transport_, get), TransportError::Kind::timeout);
  get.timeouts.whole = 0ms;
  get.timeouts.stall = 1s;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(kind_of(*transport_, get), TransportError::Kind::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_P(TransportTest, StopsWhenItIsCancelled) {
  std::atomic<bool> cancelled = false;
  LoopbackServer server([&](const ServerRequest&, ServerConnection& connection) {
    connection.reply_head(200, 1000);
    cancelled = true;
  });
  HttpRequest get = request_to(server.url() + "/");
  get.cancelled = &cancelled;
  EXPECT_EQ(kind_of(*transport_, get), TransportError::Kind::cancelled);
}

TEST_P(TransportTest, PassesOverWhatComesBeforeTheReply) {
  LoopbackServer server([](const ServerRequest&, ServerConnection& connection) {
    connection.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    connection.reply(201, "made");
  });
  const HttpResponse response = transport_->send(request_to(server.url() + "/"));
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "made");
  EXPECT_EQ(response.header("link"), "");
}

TEST_P(TransportTest, KeepsNoReplyWithoutAnEnd) {
  LoopbackServer server([](const ServerRequest& request, ServerConnection& connection) {
    connection.reply(request.target == "/fails" ? 500 : 200, std::string(1001, 'x'));
  });
  transport_ = make({.most_kept = 1000});
  EXPECT_EQ(kind_of(*transport_, request_to(server.url())), TransportError::Kind::refused);
  EXPECT_EQ(kind_of(*transport_, request_to(server.url() + "/fails")), TransportError::Kind::refused);
  transport_ = make({.most_kept = 1001});
  EXPECT_EQ(transport_->send(request_to(server.url())).body.size(), 1001U);
}

TEST_P(TransportTest, ReadsBodiesOfUnknownLength) {
  LoopbackServer server([](const ServerRequest& request, ServerConnection& connection) {
    if (request.target == "/chunks") {
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nseveral\r\n7\r\n chunks\r\n0\r\n\r\n");
    } else {
      connection.send("HTTP/1.1 200 OK\r\n\r\nto the end");
      connection.close();
    }
  });
  EXPECT_EQ(transport_->send(request_to(server.url() + "/chunks")).body, "several chunks");
  EXPECT_EQ(transport_->send(request_to(server.url() + "/")).body, "to the end");
}

TEST_P(TransportTest, SendsNoHeaderThatWouldBeTwo) {
  LoopbackServer server(echo);
  HttpRequest get = request_to(server.url() + "/");
  get.headers = {{"X-Bad", "one\r\nX-Two: other"}};
  EXPECT_EQ(kind_of(*transport_, get), TransportError::Kind::refused);
  EXPECT_EQ(server.requests(), 0);
}

TEST_P(TransportTest, PassesOnWhatASinkThrows) {
  LoopbackServer server(echo);
  Collected sink;
  sink.fails = true;
  HttpRequest get = request_to(server.url() + "/");
  get.sink = &sink;
  EXPECT_THROW(static_cast<void>(transport_->send(get)), std::runtime_error);
  get.sink = nullptr;
  EXPECT_EQ(transport_->send(get).status, 200);
}

TEST_P(TransportTest, GoesByAProxyUnlessItMustNot) {
  if (GetParam() == &make_direct_transport) return;  // it knows none
  LoopbackServer proxy(echo);
  LoopbackServer server(echo);
  ASSERT_EQ(::setenv("http_proxy", proxy.url().c_str(), 1), 0);
  EXPECT_EQ(transport_->send(request_to("http://name.invalid/x")).body, "GET http://name.invalid/x ");
  HttpRequest direct = request_to(server.url() + "/x");
  direct.by_proxy = false;
  EXPECT_EQ(transport_->send(direct).body, "GET /x ");
  ASSERT_EQ(::setenv("no_proxy", "127.0.0.1", 1), 0);
  EXPECT_EQ(transport_->send(request_to(server.url() + "/y")).body, "GET /y ");
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
  EXPECT_EQ(proxy.requests(), 1);
}

// OpenSSL's own test server, with a certificate that nobody has signed.
class TlsServer {
 public:
  explicit TlsServer(const ScratchFolder& folder) : certificate_((folder / "certificate.pem").string()) {
    const std::string key = (folder / "key.pem").string();
    const std::string make = fmt::format(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
        "-keyout '{}' -out '{}' 2>/dev/null",
        key, certificate_);
    if (std::system(make.c_str()) != 0) throw std::runtime_error("openssl makes no certificate");
    {
      const LoopbackServer gone(echo);
      port_ = gone.port();
    }
    const std::string port = std::to_string(port_);
    child_ = ::fork();
    if (child_ == 0) {
      static_cast<void>(std::freopen("/dev/null", "w", stdout));
      ::execlp("openssl", "openssl", "s_server", "-quiet", "-www", "-accept", port.c_str(), "-cert",
               certificate_.c_str(), "-key", key.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~TlsServer() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] const std::string& certificate() const noexcept { return certificate_; }
  [[nodiscard]] std::string url(const std::string& host) const { return fmt::format("https://{}:{}/", host, port_); }

 private:
  std::string certificate_;
  int port_ = 0;
  pid_t child_ = -1;
};

TEST_P(TransportTest, TrustsOnlyWhomItIsTold) {
  if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl";
  ScratchFolder folder;
  const TlsServer server(folder);
  const auto trusting = make({.ca_bundle = server.certificate()});
  HttpResponse response;
  for (int tries = 0; tries < 100 && response.status == 0; ++tries) {
    try {
      response = trusting->send(request_to(server.url("localhost")));
    } catch (const TransportError&) {  // it takes a moment to listen
      std::this_thread::sleep_for(50ms);
    }
  }
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(kind_of(*transport_, request_to(server.url("localhost"))), TransportError::Kind::refused);
  EXPECT_EQ(kind_of(*trusting, request_to(server.url("127.0.0.1"))), TransportError::Kind::refused);  // another name
  const auto mistaken = make({.ca_bundle = "/no/such/file"});
  EXPECT_EQ(kind_of(*mistaken, request_to(server.url("localhost"))), TransportError::Kind::refused);
}

}  // namespace
}  // namespace plume::tests
