// Against Ceph's gateway.
#include "s3_server_test.hpp"

namespace plume::tests {
namespace {

class RgwTest : public S3ServerTest {
 protected:
  RgwTest() : S3ServerTest(ServerKind::rgw) {}
};

TEST_F(RgwTest, DoesWhatS3Does) {
  check_objects();
  check_odd_keys();
  check_listing();
  check_multipart();
  check_refusals();
  check_presigned();
  check_form();
  check_peer();
}

}  // namespace
}  // namespace plume::tests
