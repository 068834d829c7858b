// Against OpenStack Swift, whose S3 interface knows no forms.
#include "s3_server_test.hpp"

namespace plume::tests {
namespace {

class SwiftSlow : public S3ServerTest {
 protected:
  SwiftSlow() : S3ServerTest(ServerKind::swift) {}
};

TEST_F(SwiftSlow, DoesWhatS3Does) {
  check_objects();
  check_odd_keys();
  check_listing();
  check_multipart();
  check_refusals();
  check_presigned();
  check_peer();
}

}  // namespace
}  // namespace plume::tests
