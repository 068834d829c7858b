// What plume-infer is made of: no library that it does not need, and no code of a training.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include "program.hpp"

namespace plume::tests {
namespace {

// The lines of what the command says that match.
std::vector<std::string> lines_with(const std::vector<std::string>& command, const std::regex& pattern) {
  const Outcome outcome = run_command(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  std::vector<std::string> found;
  std::size_t start = 0;
  for (std::size_t end = 0; (end = outcome.output.find('\n', start)) != std::string::npos; start = end + 1) {
    const std::string line = outcome.output.substr(start, end - start);
    if (std::regex_search(line, pattern)) found.push_back(line);
  }
  return found;
}

TEST(InferLinks, NoLibraryThatInferenceDoesNotNeed) {
  const std::regex heavy("mpi|nccl|hdf5|netcdf|gdal|curl|cudnn|cublas|python|libssl|libcrypto");
  EXPECT_EQ(lines_with({"ldd", PLUME_INFER_PROGRAM}, heavy), std::vector<std::string>());
  EXPECT_EQ(lines_with({"readelf", "-d", PLUME_INFER_PROGRAM}, heavy), std::vector<std::string>());
  EXPECT_FALSE(lines_with({"ldd", PLUME_INFER_PROGRAM}, std::regex("libpng")).empty()) << "ldd says nothing";
}

TEST(InferLinks, NoCodeOfATraining) {
  // Functions and tables of ours; "Gradients" as an argument's type is none.
  const std::regex training(
      "plume::nn::backward|_backward|backward_|weight_grad|norm_grad|pool_grad|gradient_|Gradient[A-Z]|correlate|adamw|"
      "Optimizer|plume::nn::.*[lL]oss|augment");
  EXPECT_EQ(lines_with({"nm", "-C", PLUME_INFER_PROGRAM}, training), std::vector<std::string>());
  EXPECT_GT(lines_with({"nm", "-C", PLUME_PROGRAM}, training).size(), 100U) << "the pattern finds nothing in plume";
}

}  // namespace
}  // namespace plume::tests
