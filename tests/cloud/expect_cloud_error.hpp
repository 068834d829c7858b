// Calls that must fail as users are told.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "cloud/error.hpp"

namespace plume::tests {

// Fails unless the call throws that failure with `word` in its message.
template <class Call>
void expect_cloud_error(cloud::Failure failure, const std::string& word, Call&& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown, and not: " << word;
  } catch (const cloud::Error& error) {
    EXPECT_EQ(static_cast<int>(error.failure()), static_cast<int>(failure)) << error.what();
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
}

}  // namespace plume::tests
