// For tests of refusals: the status and a part of what is said.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "unet/serve/status.hpp"

namespace plume::serve {

template <class Action>
void expect_refused(Status status, std::string_view part, const Action& action) {
  try {
    action();
    ADD_FAILURE() << "was not refused; " << part << " was expected";
  } catch (const RequestError& error) {
    EXPECT_EQ(error.status(), status) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
  }
}

}  // namespace plume::serve
