// Where a request begins and ends: what is no HTTP, what could be read in two ways, and what is too much.
#include <fmt/core.h>

#include "http_server.hpp"

namespace plume::serve::http {
namespace {

class HttpFraming : public HttpServer {};

TEST_F(HttpFraming, WhatIsNoHttpIsRefused) {
  start();
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"}) {
    expect_refused(text, 400, "HTTP");
  }
  expect_refused("GET / HTTP/1.1\r\n\r\n", 400, "Host");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Host");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "chunked");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "chunked");
  EXPECT_EQ(echo_.handled, 0);
}

// A proxy before the server could see the end of such a request elsewhere, and another client's request in what follows.
TEST_F(HttpFraming, CodingsThatOthersReadDifferentlyAreRefused) {
  start();
  for (const char* codings :
       {"Transfer-Encoding: \r\nContent-Length: 3\r\n", "Transfer-Encoding: identity\r\nContent-Length: 3\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: , chunked\r\n",
        "Transfer-Encoding: chunked;a=b\r\n"}) {
    expect_refused(fmt::format("POST / HTTP/1.1\r\nHost: h\r\n{}\r\nabc", codings), 501, "chunked");
  }
  expect_refused("POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                 "1.0");
  EXPECT_EQ(echo_.handled, 0);
}

TEST_F(HttpFraming, WhatTrailsBehindChunksIsNoHeader) {
  start();
  Client client = connect();
  client.send(
      "POST /headers HTTP/1.1\r\nHost: h\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: 2\r\nB: 3\r\n\r\n");
  EXPECT_EQ(client.receive()->body, "Host: h\nA: 1\nTransfer-Encoding: chunked\n");
}

TEST_F(HttpFraming, OldClientsExpectNothing) {
  start();
  Client client = connect();
  client.send("POST /a HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.receive()->status, 200);
}

TEST_F(HttpFraming, LargeHeadersAreRefused) {
  start();
  expect_refused(std::string("GET /") + std::string(17'000, 'a') + " HTTP/1.1\r\n", 431, "16384");
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  while (many.size() < 17'000) many += "A: b\r\n";
  expect_refused(many + "\r\n", 431, "16384");
  const auto with_headers = [](int count) {
    std::string text = "GET /a HTTP/1.1\r\nHost: h\r\n";
    for (int i = 1; i < count; ++i) text += fmt::format("H{}: b\r\n", i);
    return text + "\r\n";
  };
  Client client = connect();
  client.send(with_headers(128));
  EXPECT_EQ(client.receive()->status, 200);
  expect_refused(with_headers(129), 431, "128 headers");
}

TEST_F(HttpFraming, OversizeBodiesAreRefusedBeforeTheyAreRead) {
  start();
  EXPECT_EQ(connect().ask("POST", "/", "", std::string(100'000, 'x'))->status, 200);
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n", 413, "100000");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n", 413, "100000");
  // Who sends on without listening still gets the answer.
  expect_refused(request_text("POST", "/", "", std::string(3'000'000, 'x')), 413, "100000");
}

TEST_F(HttpFraming, ChunksWithoutEndAreRefused) {
  start();
  std::string chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  while (chunks.size() < 300'000) chunks += "3e8\r\n" + std::string(1000, 'x') + "\r\n";
  expect_refused(chunks, 413, "100000");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413, "100000");
  expect_refused(
      std::string("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;") + std::string(100'000, 'x'),
      400, "chunk");
}

}  // namespace
}  // namespace plume::serve::http
