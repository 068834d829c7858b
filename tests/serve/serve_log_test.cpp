// What a server writes to its log, and that it does not hang on a reader.
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "serve_life.hpp"

namespace plume::tests {
namespace {

TEST_F(ServeLife, GoesOnWhereNobodyReadsItsLogAnyMore) {
  const std::string log = (folder_ / "log").string();
  ASSERT_EQ(::mkfifo(log.c_str(), 0600), 0);
  RunningCommand server({"bash", "-c", "exec \"$@\" 2> " + log, "bash", PLUME_INFER_PROGRAM, "serve", "--model", model_,
                         "--port", "0", "--access-log"},
                        folder_ / "errors");
  int port = 0;
  {
    std::ifstream reader(log);
    std::string line;
    std::getline(reader, line);
    port = std::stoi(line.substr(line.rfind(':') + 1));
  }
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(port, "GET", "/ping");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
  }
  EXPECT_FALSE(server.wait_for(0.2)) << "it has ended";
}

TEST_F(ServeLife, TheAccessLogHasALinePerRequest) {
  RunningServer server({"--model", model_, "--access-log"});
  EXPECT_EQ(ask(server.port(), "GET", "/ping", "X-Request-Id: first\r\n")->status, 200);
  EXPECT_EQ(ask(server.port(), "GET", "/\x01\xff\"")->status, 400);
  EXPECT_EQ(ask_little(server.port())->status, 200);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for(30), 0);
  std::vector<nlohmann::json> lines;
  std::istringstream text(server.errors());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("{")) lines.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(lines[0].at("request_id"), "first");
  EXPECT_EQ(lines[0].at("path"), "/ping");
  EXPECT_EQ(lines[1].at("status"), 400);
  EXPECT_EQ(lines[2].at("method"), "POST");
  EXPECT_EQ(lines[2].at("bytes_in"), 192);
  EXPECT_GT(lines[2].at("bytes_out").get<int>(), 16);
  EXPECT_EQ(lines[2].at("remote"), "127.0.0.1");
}

TEST_F(ServeLife, TheAccessLogNamesClientsThatAreGone) {
  RunningServer server({"--model", model_, "--access-log"});
  Client gone(server.port());
  gone.send(request_text("POST", "/invocations", raw_headers(1, 600, 600) + "X-Request-Id: gone\r\n",
                         raw_body(std::vector<float>(600 * 600 * 3, 1.0F))));
  while (server.metric("plume_in_flight_bytes") < 4e6) std::this_thread::sleep_for(1ms);
  gone.reset();
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for(30), 0);
  std::istringstream text(server.errors());
  std::string line;
  while (std::getline(text, line) && line.find("\"gone\"") == std::string::npos) {
  }
  EXPECT_EQ(nlohmann::json::parse(line).at("remote"), "127.0.0.1");
}

}  // namespace
}  // namespace plume::tests
