// What takes minutes, or more connections than a system may allow: crowds of idle clients, and load without end.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "running_server.hpp"

namespace plume::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t crowd = 10'000;

std::size_t files_allowed() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::optional<Answer> ask_for_a_tile(Client& client, int size) {
  const auto pixels = std::vector<float>(static_cast<std::size_t>(size * size * 3), 100.0F);
  return client.ask("POST", "/invocations", raw_headers(1, size, size), raw_body(pixels));
}

class ServeSlow : public testing::Test {
 protected:
  void SetUp() override { static_cast<void>(save_small_model(model_)); }
  ScratchFolder folder_;
  std::string model_ = (folder_ / "model.safetensors").string();
};

TEST_F(ServeSlow, TenThousandIdleConnectionsHoldUpNoOne) {
  if (files_allowed() < crowd + 200) GTEST_SKIP() << "fewer than " << crowd + 200 << " open files are allowed";
  const RunningServer server({"--model", model_, "--max-connections", "12000"});
  const double before = server.metric("process_resident_memory_bytes");
  std::vector<Client> idle;
  idle.reserve(crowd);
  for (std::size_t i = 0; i < crowd; ++i) {
    idle.emplace_back(server.port());
    if (i % 3 == 1) {
      EXPECT_TRUE(idle.back().ask("GET", "/ping"));  // some have asked before
    }
    if (i % 3 == 2) idle.back().send("GET /ping HT");  // some have begun to
  }
  EXPECT_GE(server.metric("plume_connections"), static_cast<double>(crowd));
  for (int i = 0; i < 20; ++i) {
    const auto begin = Clock::now();
    EXPECT_EQ(ask(server.port(), "GET", "/ping")->status, 200);
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - begin).count(), 0.05);
  }
  Client client(server.port());
  EXPECT_EQ(ask_for_a_tile(client, 64)->status, 200);
  EXPECT_TRUE(idle[1].ask("GET", "/ping"));
  const double each = (server.metric("process_resident_memory_bytes") - before) / static_cast<double>(crowd);
  EXPECT_LT(each, 8192) << "bytes of a connection";
}

TEST_F(ServeSlow, WithFewerFilesThanClientsTheLongestIdleMakeRoom) {
  if (files_allowed() < 3000) GTEST_SKIP() << "fewer than 3000 open files are allowed";
  const RunningServer server({"--model", model_, "--max-connections", "1000"});
  std::vector<Client> idle;
  for (int i = 0; i < 2500; ++i) idle.emplace_back(server.port());
  EXPECT_EQ(ask(server.port(), "GET", "/ping")->status, 200);
  EXPECT_LE(server.metric("plume_connections"), 1000);
  EXPECT_GT(server.metric("plume_connections_evicted_total"), 1400);
  EXPECT_TRUE(idle.front().ends());
  EXPECT_TRUE(idle.back().ask("GET", "/ping"));
}

TEST_F(ServeSlow, SteadyLoadLosesNothingAndLeavesNothing) {
  const RunningServer server({"--model", model_});
  std::atomic<bool> done{false};
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      for (int round = 0; !done; ++round) {
        Client client(server.port());
        for (int k = 0; k < 20; ++k, ++answered) {
          const auto answer = ask_for_a_tile(client, 32 + 16 * ((i + round + k) % 10));
          ASSERT_TRUE(answer);
          ASSERT_EQ(answer->status, 200) << answer->body;
        }
      }
    });
  }
  const auto memory_after = [&](std::chrono::seconds time) {
    std::this_thread::sleep_for(time);
    return server.metric("process_resident_memory_bytes");
  };
  const double early = memory_after(20s);
  const double late = memory_after(60s);
  done = true;
  for (std::thread& client : clients) client.join();
  EXPECT_GT(answered, 1000);
  EXPECT_LT(late, 1.1 * early + 5e6);
  const auto end = Clock::now() + 10s;
  while (server.metric("plume_connections") > 1 && Clock::now() < end) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server.metric("plume_connections"), 1);
  EXPECT_EQ(server.metric("plume_in_flight_bytes"), 0);
  EXPECT_LT(server.metric("process_open_fds"), 20);
  EXPECT_EQ(server.metric("plume_batch_images_sum"), answered);
}

}  // namespace
}  // namespace plume::tests
