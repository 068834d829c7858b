// The HTTP server by itself: well-behaved clients, slow ones, many, and those that go away.
#include "http_server.hpp"

#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace plume::serve::http {
namespace {

using namespace std::chrono_literals;

TEST_F(HttpServer, AnswersOneRequestAfterTheOtherOnAConnection) {
  start();
  Client client = connect();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask("POST", "/a?b=c", "Content-Type: text/plain\r\n", "body");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /a body");
    EXPECT_EQ(answer->header("connection"), "keep-alive");
    EXPECT_EQ(answer->header("date").size(), 29);
  }
  EXPECT_EQ(counts_.accepted, 1);
}

TEST_F(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client = connect();
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += request_text("POST", std::string("/") + std::to_string(i), "", std::string(1000, 'x'));
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->body.starts_with(std::string("POST /") + std::to_string(i) + " x"));
  }
}

TEST_F(HttpServer, Http10ClosesUnlessAskedNotTo) {
  start();
  Client client = connect();
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.receive()->header("connection"), "keep-alive");
  client.send("GET /b HTTP/1.0\r\n\r\n");
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "GET /b ");
  EXPECT_EQ(answer->header("connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpServer, RequestsArriveByteByByteAndInChunks) {
  start();
  Client client = connect();
  for (const char c : request_text("POST", "/slow", "", "abc")) client.send({&c, 1});
  EXPECT_EQ(client.receive()->body, "POST /slow abc");
  for (const char c : std::string("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(client.receive()->body, "POST /c abc0123456789");
}

TEST_F(HttpServer, HeadHasNoBody) {
  start();
  Client client = connect();
  const auto answer = client.ask("HEAD", "/a");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("content-length"), "8");
  EXPECT_EQ(client.ask("GET", "/b")->body, "GET /b ");
}

TEST_F(HttpServer, AbsoluteTargetsAreTaken) {
  start();
  EXPECT_EQ(connect().ask("GET", "http://here:80/a/b?c")->body, "GET /a/b ");
  EXPECT_EQ(connect().ask("GET", "http://here")->body, "GET / ");
  EXPECT_EQ(connect().ask("OPTIONS", "*")->body, "OPTIONS * ");
}

TEST_F(HttpServer, RequestIdsAreGivenBackOrMade) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask("GET", "/", "X-Request-Id: my-id.1\r\n")->header("x-request-id"), "my-id.1");
  const std::string one = client.ask("GET", "/")->header("x-request-id");
  const std::string other =
      client.ask("GET", "/", std::string("X-Request-Id: ") + std::string(200, 'a') + "\r\n")->header("x-request-id");
  EXPECT_EQ(one.size(), 16);
  EXPECT_EQ(other.size(), 16);
  EXPECT_NE(one, other);
}

TEST_F(HttpServer, ExpectedContinueComesBeforeTheBody) {
  start();
  Client client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(false)->status, 100);
  client.send("abc");
  EXPECT_EQ(client.receive()->body, "POST /a abc");
  expect_refused("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: a-pony\r\n\r\n", 417, "100-continue");
  expect_refused("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n", 413,
                 "100000");
}

TEST_F(HttpServer, SlowHeadersAndBodiesAreRefused) {
  settings_.header_timeout = 200ms;
  settings_.transfer_timeout = 200ms;
  settings_.slowest_transfer = 1000;
  start();
  expect_refused("GET / HTTP/1.1\r\nHost:", 408, "header");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc", 408, "too slowly");
  // A trickle does not help.
  Client client = connect();
  const auto begin = std::chrono::steady_clock::now();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n");
  while (client.send("A: b\r\n") && std::chrono::steady_clock::now() - begin < 10s) {
    const auto answer = client.receive(true, 10ms);
    if (!answer) continue;
    EXPECT_EQ(answer->status, 408);
    break;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  // Who is fast enough may take long.
  Client steady = connect();
  steady.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(50ms);
    steady.send(std::string(100, 'x'));
  }
  EXPECT_EQ(steady.receive()->status, 200);
}

TEST_F(HttpServer, IdleConnectionsEnd) {
  settings_.idle_timeout = 100ms;
  start();
  EXPECT_TRUE(connect().ends());
  Client client = connect();
  EXPECT_TRUE(client.ask("GET", "/"));
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(counts_.answers[408], 0);
}

TEST_F(HttpServer, WhereConnectionsRunOutTheOneThatHasBeenIdleLongestEnds) {
  settings_.max_connections = 3;
  start();
  Client first = connect();
  Client second = connect();
  Client third = connect();
  EXPECT_TRUE(first.ask("GET", "/"));
  EXPECT_TRUE(third.ask("GET", "/"));
  EXPECT_TRUE(connect().ask("GET", "/"));
  EXPECT_TRUE(second.ends());
  EXPECT_TRUE(first.ask("GET", "/"));
  EXPECT_EQ(counts_.evicted, 1);
}

TEST_F(HttpServer, WhereAllConnectionsHaveRequestsAnotherIsTurnedAway) {
  settings_.max_connections = 1;
  start();
  Client busy = connect();
  busy.send(request_text("GET", "/later"));
  while (echo_.handled == 0) std::this_thread::sleep_for(1ms);
  Client late = connect();
  const auto answer = late.receive();
  expect_problem(answer, 503, "too many connections");
  EXPECT_EQ(answer->header("retry-after"), "1");
  echo_.may_reply.set_value();
  EXPECT_EQ(busy.receive()->body, "GET /later ");
}

TEST_F(HttpServer, ThousandsOfIdleConnectionsLeaveItWell) {
  start();
  std::vector<Client> idle;
  for (int i = 0; i < 2000; ++i) idle.push_back(connect());
  for (int i = 0; i < 2000; i += 100) {
    EXPECT_TRUE(connect().ask("GET", "/"));
    EXPECT_TRUE(idle[static_cast<std::size_t>(i)].ask("GET", "/"));
  }
  EXPECT_EQ(counts_.open, 2000);
}

TEST_F(HttpServer, BodiesBeyondTheBudgetAreRefused) {
  settings_.max_body = std::size_t{1} << 30;
  start();
  Client client = connect();
  client.send(std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n") + std::string(800'000, 'x'));
  while (budget_.used() < 800'000) std::this_thread::sleep_for(1ms);
  expect_refused(request_text("POST", "/", "", std::string(500'000, 'x')), 503, "memory");
  client.send(std::string(100'000, 'x'));
  EXPECT_EQ(client.receive()->status, 200);
  while (budget_.used() > 0) std::this_thread::sleep_for(1ms);
}

TEST_F(HttpServer, ClientsThatGoAwayLeaveNothingBehind) {
  settings_.max_body = budget_bytes / 2;
  start();
  for (int i = 0; i < 20; ++i) {
    connect().send("GET / HT");
    connect().send(std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n") +
                   std::string(5'000, 'x'));
    connect().send(request_text("GET", "/big"));
    Client reset = connect();
    reset.send(request_text("GET", "/big"));
    EXPECT_TRUE(reset.receive(false));
    reset.reset();
  }
  EXPECT_EQ(connect().ask("GET", "/a")->body, "GET /a ");
  const auto end = std::chrono::steady_clock::now() + 10s;
  while ((counts_.open > 0 || budget_.used() > 0) && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(counts_.open, 0);
  EXPECT_EQ(budget_.used(), 0);
}

TEST_F(HttpServer, WhoDoesNotReadItsAnswerLosesIt) {
  settings_.transfer_timeout = 100ms;
  settings_.slowest_transfer = std::size_t{2} << 20;  // of a "/big" in 16 s
  start();
  Client client = connect();
  client.small_receive_buffer();
  client.send(request_text("GET", "/big"));
  while (echo_.handled == 0) std::this_thread::sleep_for(1ms);
  // What counts is what has gone over, so that holding a large answer is not worth a long time. The system takes some MiB.
  const auto end = std::chrono::steady_clock::now() + 8s;
  while (counts_.open > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(counts_.open, 0);
  EXPECT_EQ(budget_.used(), 0);
  EXPECT_EQ(connect().ask("GET", "/big")->body.size(), std::size_t{32} << 20);
}

TEST_F(HttpServer, WhoHasEndedSendingIsAnswered) {
  start();
  Client client = connect();
  client.send(request_text("GET", "/a"));
  client.shut_down_sending();
  EXPECT_EQ(client.receive()->body, "GET /a ");
  EXPECT_TRUE(client.ends());
}

TEST_F(HttpServer, AnAnswerThatNeverComesIsAnError) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask("GET", "/dropped")->status, 500);
}

TEST_F(HttpServer, DrainingAnswersWhatWasAccepted) {
  start();
  Client busy = connect();
  busy.send(request_text("GET", "/later"));
  Client idle = connect();
  Client half = connect();
  half.send("POST /half HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
  while (echo_.handled == 0 || counts_.accepted < 3) std::this_thread::sleep_for(1ms);
  auto drained = std::async(std::launch::async, [&] { return server_->drain(10s); });
  std::optional<Answer> last;
  do {
    last = idle.ask("GET", "/idle");
    ASSERT_TRUE(last);
  } while (last->header("connection") == "keep-alive");  // until the server has heard
  EXPECT_TRUE(idle.ends());
  EXPECT_THROW(static_cast<void>(connect()), std::runtime_error);
  half.send("b");
  EXPECT_EQ(half.receive()->body, "POST /half ab");
  EXPECT_NE(drained.wait_for(0s), std::future_status::ready);
  echo_.may_reply.set_value();
  EXPECT_EQ(busy.receive()->body, "GET /later ");
  EXPECT_TRUE(busy.ends());
  EXPECT_TRUE(half.ends());
  EXPECT_TRUE(drained.get());
}

TEST_F(HttpServer, DrainingGivesUpAtItsLimit) {
  start();
  Client busy = connect();
  busy.send(request_text("GET", "/later"));
  while (echo_.handled == 0) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(server_->drain(50ms));
  echo_.may_reply.set_value();
}

}  // namespace
}  // namespace plume::serve::http
