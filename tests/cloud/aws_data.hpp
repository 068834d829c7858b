// The known answers for the cloud client, which the repository does not hold.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "../real_data.hpp"
#include "../scratch_folder.hpp"

namespace plume::tests {

inline std::filesystem::path aws_data() {
  return real_data() / "aws";
}

inline nlohmann::json read_json(const std::filesystem::path& path) {
  return nlohmann::json::parse(read_file(path));
}

// Skips a test whose known answers are not here.
#define PLUME_NEEDS_AWS_DATA() \
  if (!std::filesystem::exists(plume::tests::aws_data())) GTEST_SKIP() << "no " << plume::tests::aws_data()

}  // namespace plume::tests
