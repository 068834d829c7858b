// A build for GPUs on a machine whose driver is too old for it.
#include <gtest/gtest.h>

#include "running_server.hpp"

namespace plume::tests {
namespace {

constexpr const char* obstacle = "the GPU's driver knows CUDA up to 11.4 and this program needs ";

class OldDriver : public testing::Test {
 protected:
  OldDriver() { static_cast<void>(save_small_model(model_)); }

  [[nodiscard]] static Surroundings with(std::vector<std::string> environment) {
    environment.emplace_back("LD_LIBRARY_PATH=" PLUME_OLD_DRIVER_FOLDER);
    return {.environment = std::move(environment), .largest_file = {}};
  }

  ScratchFolder folder_;
  std::string model_ = folder_ / "model.safetensors";
};

TEST_F(OldDriver, TheServerTakesTheCpuAndSaysWhy) {
  const RunningServer server({"--model", model_}, with({}));
  EXPECT_NE(server.errors().find(obstacle), std::string::npos) << server.errors();
  EXPECT_NE(server.errors().find("CPU"), std::string::npos) << server.errors();
  EXPECT_EQ(ask(server.port(), "GET", "/ping")->status, 200);
}

TEST_F(OldDriver, ItIsAnErrorWhereAGpuIsDemanded) {
  expect_failed(run_command(plume_infer({"serve", "--model", model_, "--device", "cuda"}), with({})), 4, {obstacle});
  expect_failed(run_command(plume_infer({"serve", "--model", model_}), with({"PLUME_DEVICE=cuda"})), 4, {obstacle});
}

TEST_F(OldDriver, TheDoctorNamesIt) {
  const Outcome outcome = run_plume({"doctor"}, with({}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_NE(outcome.output.find(obstacle), std::string::npos) << outcome.output;
}

}  // namespace
}  // namespace plume::tests
