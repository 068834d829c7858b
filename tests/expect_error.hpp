// Expects what a user meets after a mistake: an error of the right kind, in one line, that names the culprit.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "kernels/base/error.hpp"

namespace plume::tests {

// Runs action; fails unless it throws plume::Error of that kind whose message is one line and holds every part.
template <class Action, class... Parts>
void expect_error(ErrorKind kind, Action&& action, const Parts&... parts) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    const std::string_view message = error.what();
    EXPECT_EQ(error.kind(), kind) << message;
    EXPECT_EQ(message.find('\n'), std::string_view::npos) << message;
    for (const std::string_view part : std::initializer_list<std::string_view>{parts...}) {
      EXPECT_NE(message.find(part), std::string_view::npos) << message << "\nlacks: " << part;
    }
  }
}

template <class Action, class... Parts>
void expect_input_error(Action&& action, const Parts&... parts) {
  expect_error(ErrorKind::input, action, parts...);
}

}  // namespace plume::tests
