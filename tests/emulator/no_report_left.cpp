// Fails each test that ends with an error of a kernel that nobody asked for: it was last seen by a destructor, say.
#include <gtest/gtest.h>

#include "kernels/emulator/testing.hpp"

namespace plume::tests {
namespace {

class NoReportLeft : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    const std::string report = emulator::take_report();
    if (!report.empty()) ADD_FAILURE() << report;
  }
};

[[maybe_unused]] const bool listening = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new NoReportLeft);
  return true;
}();

}  // namespace
}  // namespace plume::tests
