// All that the client does against a server that verifies every signature; tests of each server say which of it that
// server knows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cloud/error.hpp"
#include "s3_server.hpp"

namespace plume::tests {

// Bytes that no compression and no mistake makes equal.
[[nodiscard]] std::string noise(std::size_t size, unsigned seed);

class S3ServerTest : public testing::Test {
 protected:
  explicit S3ServerTest(ServerKind kind) : kind_(kind) {}
  void SetUp() override;  // skips where the server is not installed

  void check_objects();
  void check_odd_keys();
  void check_listing();
  void check_multipart();
  void check_refusals();
  void check_presigned();
  void check_form();
  void check_peer();

  [[nodiscard]] S3Server& server() { return *server_; }
  [[nodiscard]] cloud::ObjectName named(const std::string& key) const { return {bucket_, key}; }

  // The error that a call ends with, in one line.
  template <class Call>
  [[nodiscard]] static cloud::Error failure(const Call& call) {
    try {
      call();
    } catch (const cloud::Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {cloud::Failure::failed, ""};
  }

  ServerKind kind_;
  ScratchFolder folder_;
  std::unique_ptr<S3Server> server_;
  std::unique_ptr<cloud::S3> s3_;
  std::string bucket_ = "plume-test";
};

}  // namespace plume::tests
