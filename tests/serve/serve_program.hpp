// One server for many tests: what they ask it, and what they expect.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "running_server.hpp"

namespace plume::tests {

// The image that most of them send.
inline constexpr int height = 24;
inline constexpr int width = 20;
inline constexpr std::size_t values = std::size_t{height} * width * 3;

inline const std::string json_type = "Content-Type: application/json\r\n";

// The numbers in {"predictions": ...}, in their order.
inline std::vector<float> predictions_of(const Answer& answer) {
  std::vector<float> found;
  const auto parsed = nlohmann::json::parse(answer.body);
  for (const auto& image : parsed.at("predictions")) {
    for (const auto& row : image) {
      for (const auto& pixel : row) {
        for (const auto& value : pixel) found.push_back(value.get<float>());
      }
    }
  }
  return found;
}

class ServeProgram : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    network_ = new unet::Network(save_small_model(*folder_ / "model.safetensors"));
    server_ = new RunningServer({"--model", (*folder_ / "model.safetensors").string()});
  }
  static void TearDownTestSuite() {
    delete server_;
    delete network_;
    delete folder_;
  }

  static std::optional<Answer> post(std::string_view headers, std::string_view body) {
    return ask(server_->port(), "POST", "/invocations", headers, body);
  }
  static void expect_refused(int status, std::string_view part, std::string_view headers, std::string_view body) {
    const auto answer = post(headers, body);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status) << answer->body;
    const auto problem = nlohmann::json::parse(answer->body);
    EXPECT_NE(problem.at("detail").get<std::string>().find(part), std::string::npos) << answer->body;
    EXPECT_EQ(problem.at("request_id"), answer->header("x-request-id"));
    EXPECT_FALSE(problem.at("error").get<std::string>().empty());
  }

  static inline ScratchFolder* folder_;
  static inline unet::Network* network_;
  static inline RunningServer* server_;
};

}  // namespace plume::tests
