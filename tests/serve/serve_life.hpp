// A server whose life is tested: started, asked, ended.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "running_server.hpp"

namespace plume::tests {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline const std::string json_type = "Content-Type: application/json\r\n";

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class ServeLife : public testing::Test {
 protected:
  void SetUp() override { static_cast<void>(save_small_model(model_)); }
  // What keeps a worker busy for a while, as one image.
  static std::optional<Answer> ask_much(int port, int size = 900) {
    const auto pixels = std::vector<float>(static_cast<std::size_t>(size * size * 3), 100.0F);
    return ask(port, "POST", "/invocations", raw_headers(1, size, size) + "Accept: application/x-npy\r\n",
               raw_body(pixels));
  }
  static std::optional<Answer> ask_little(int port) {
    return ask(port, "POST", "/invocations", raw_headers(1, 4, 4), raw_body(std::vector<float>(48, 1.0F)));
  }
  static void expect_one_line(const Outcome& outcome, int code, std::string_view part) {
    EXPECT_EQ(outcome.exit_code, code) << outcome.errors;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
    EXPECT_TRUE(outcome.errors.starts_with("plume-infer: ")) << outcome.errors;
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors;
  }

  ScratchFolder folder_;
  std::filesystem::path model_ = folder_ / "model.safetensors";
};

}  // namespace plume::tests
