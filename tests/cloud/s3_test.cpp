// What is asked of S3, without a server: plans, settings, names, and what a request carries.
#include <gtest/gtest.h>

#include "cloud/s3/local_file.hpp"
#include "cloud/s3/open.hpp"
#include "cloud/s3/parallel.hpp"
#include "cloud/s3/partial_download.hpp"
#include "cloud/s3/upload.hpp"
#include "cloud/signing/chunked.hpp"
#include "example_keys.hpp"
#include "expect_cloud_error.hpp"
#include "kernels/base/base64.hpp"
#include "kernels/base/crc32c.hpp"
#include "s3_server.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"
#include "test_surroundings.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

constexpr std::uint64_t mebibyte = 1 << 20;

TEST(PartPlan, StaysWithinTenThousandParts) {
  EXPECT_EQ(plan_parts(100 * mebibyte, 0).part_size, 16 * mebibyte);
  EXPECT_EQ(plan_parts(100 * mebibyte, 0).count, 7U);
  EXPECT_EQ(plan_parts(16 * mebibyte, 0).count, 1U);
  EXPECT_EQ(plan_parts(0, 0).count, 1U);
  for (const std::uint64_t size :
       {50'000 * mebibyte, 50'001 * mebibyte, std::uint64_t{5} << 40, 160'000 * mebibyte + 1}) {
    const PartPlan plan = plan_parts(size, 5 * mebibyte);
    EXPECT_LE(plan.count, 10'000U);
    EXPECT_GE(plan.count * plan.part_size, size);
    EXPECT_LT((plan.count - 1) * plan.part_size, size);
  }
  EXPECT_EQ(plan_parts(50'000 * mebibyte, 5 * mebibyte).part_size, 5 * mebibyte);
  EXPECT_EQ(plan_parts(50'000 * mebibyte + 1, 5 * mebibyte).part_size, 6 * mebibyte);
  EXPECT_THROW(static_cast<void>(plan_parts(1, mebibyte)), cloud::Error);
  EXPECT_THROW(static_cast<void>(plan_parts(1ULL << 60, 0)), cloud::Error);
}

TEST(ObjectName, ComesFromAnAddress) {
  EXPECT_EQ(parse_object_name("s3://b/a/c d").key, "a/c d");
  EXPECT_EQ(parse_object_name("s3://b/").key, "");
  EXPECT_EQ(parse_object_name("s3://b").bucket, "b");
  for (const char* text : {"b/a", "s3://", "s3:///a", "http://b/a"})
    EXPECT_THROW(static_cast<void>(parse_object_name(text)), cloud::Error) << text;
}

TEST(RunParallel, DoesEveryTaskOnce) {
  std::vector<std::atomic<int>> done(1000);
  run_parallel(done.size(), 7, [&](std::size_t i) { ++done[i]; });
  for (const auto& count : done) EXPECT_EQ(count, 1);
}

TEST(RunParallel, StopsAtTheFirstFailure) {
  std::atomic<int> begun = 0;
  const auto task = [&](std::size_t i) {
    ++begun;
    if (i == 3) throw std::runtime_error("the third");
  };
  EXPECT_THROW(run_parallel(1'000'000, 2, task), std::runtime_error);
  EXPECT_LT(begun, 1'000'000);
}

TEST(LocalFile, IsWrittenByOneAtATime) {
  ScratchFolder folder;
  {
    const LocalFile file(folder / "file", LocalFile::For::writing);
    EXPECT_THROW(LocalFile(folder / "file", LocalFile::For::writing), plume::Error);
    EXPECT_NO_THROW(LocalFile(folder / "file", LocalFile::For::reading));
    std::filesystem::rename(folder / "file", folder / "finished");
    EXPECT_NO_THROW(LocalFile(folder / "file", LocalFile::For::writing));
  }
  EXPECT_NO_THROW(LocalFile(folder / "finished", LocalFile::For::writing));
}

TEST(LocalFile, TellsWhatItCannotDo) {
  ScratchFolder folder;
  EXPECT_THROW(LocalFile(folder / "none", LocalFile::For::reading), plume::Error);
  EXPECT_THROW(LocalFile("/tmp", LocalFile::For::reading), plume::Error);
  write_file(folder / "file", "0123456789");
  const LocalFile file(folder / "file", LocalFile::For::reading);
  FileBody body(file, 4, 10);
  std::array<std::byte, 20> buffer{};
  EXPECT_THROW(static_cast<void>(body.read(buffer)), plume::Error);  // shorter than it was
}

TEST(PartialDownload, BelievesOnlyWhatItsFileHas) {
  ScratchFolder folder;
  const std::string bytes = "0123456789";
  {
    PartialDownload partial(folder / "target", 4, true);
    partial.begin("\"etag\"", bytes.size());
    partial.file().write(as_bytes(bytes), 0);
    for (std::size_t part = 0; part < 3; ++part)
      partial.add(part, crc32c(as_bytes(bytes).subspan(4 * part, std::min<std::size_t>(4, bytes.size() - 4 * part))));
    partial.file().write(as_bytes("x"), 5);  // a write that was lost
  }
  {
    const PartialDownload partial(folder / "target", 4, true);
    EXPECT_EQ(partial.etag(), "\"etag\"");
    EXPECT_EQ(partial.size(), 10U);
    EXPECT_TRUE(partial.find(0));
    EXPECT_FALSE(partial.find(1));
    EXPECT_TRUE(partial.find(2));
  }
  EXPECT_EQ(PartialDownload(folder / "target", 5, true).parts(), 0U);  // cut otherwise
  EXPECT_EQ(PartialDownload(folder / "target", 4, false).etag(), "");
}

class S3RequestTest : public testing::Test {
 protected:
  // What was sent for a put of "hello".
  Sent put(S3Settings settings, const PutOptions& options = {}, bool https = true) {
    settings.choice.region = "us-east-1";
    if (!https) settings.choice.custom = "http://localhost:1";
    transport_.answer({200, {{"ETag", "x"}}, {}});
    S3(transport_, &keys_, clock_.clock(), settings).put({"b", "k"}, "hello", options);
    return transport_.sent().back();
  }
  ScriptedTransport transport_;
  TestClock clock_;
  FixedKeys keys_{"AKIDEXAMPLE", "secret"};
};

// Without its key a request would be about the bucket.
TEST_F(S3RequestTest, AsksNothingOfAnObjectWithoutAKey) {
  S3Settings settings;
  settings.choice.region = "us-east-1";
  S3 s3(transport_, &keys_, clock_.clock(), settings);
  const auto refused = [](auto&& call) { expect_cloud_error(Failure::usage, "s3://BUCKET/KEY", call); };
  refused([&] { s3.remove({"b", ""}); });
  refused([&] { s3.put({"b", ""}, "hello"); });
  refused([&] { static_cast<void>(s3.get_text({"b", ""})); });
  refused([&] { static_cast<void>(s3.find({"b", ""})); });
  refused([&] { static_cast<void>(s3.create_upload({"b", ""}, {})); });
  EXPECT_TRUE(transport_.sent().empty());
}

TEST_F(S3RequestTest, BearsASizeThatIsNone) {
  S3Settings settings;
  settings.choice.region = "us-east-1";
  transport_.answer({200, {{"Content-Length", "99999999999999999999999"}, {"ETag", "x"}}, {}});
  EXPECT_EQ(S3(transport_, &keys_, clock_.clock(), settings).head({"b", "k"}).size, 0U);
}

TEST_F(S3RequestTest, CarriesAChecksum) {
  EXPECT_EQ(put({}).header("x-amz-checksum-crc32c"), "mnG7TA==");
  EXPECT_EQ(put({}).header("x-amz-sdk-checksum-algorithm"), "CRC32C");
  S3Settings required;
  required.checksum_when_supported = false;
  EXPECT_EQ(put(required).header("x-amz-checksum-crc32c"), "");
  S3Settings sha;
  sha.checksum = ChecksumKind::sha256;
  EXPECT_EQ(put(sha).header("x-amz-checksum-sha256"), base64(sha256("hello")));
}

TEST_F(S3RequestTest, SignsTheBodyWhereNothingElseProtectsIt) {
  EXPECT_EQ(put({}).header("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(put({}, {}, false).header("x-amz-content-sha256"), hex(sha256("hello")));
  S3Settings always;
  always.payload_signing = PayloadSigning::always;
  EXPECT_EQ(put(always).header("x-amz-content-sha256"), hex(sha256("hello")));
  S3Settings never;
  never.payload_signing = PayloadSigning::never;
  EXPECT_EQ(put(never, {}, false).header("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
}

TEST_F(S3RequestTest, CarriesItsOptions) {
  PutOptions options;
  options.content_type = "image/png";
  options.storage_class = "STANDARD_IA";
  options.encryption = "aws:kms";
  options.kms_key_id = "key";
  options.tags = {{"a b", "c&d"}, {"run", "42"}};
  options.metadata = {{"origin", "goes"}};
  options.only_if_absent = true;
  const Sent sent = put({}, options);
  EXPECT_EQ(sent.header("content-type"), "image/png");
  EXPECT_EQ(sent.header("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(sent.header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(sent.header("x-amz-server-side-encryption-aws-kms-key-id"), "key");
  EXPECT_EQ(sent.header("x-amz-tagging"), "a%20b=c%26d&run=42");
  EXPECT_EQ(sent.header("x-amz-meta-origin"), "goes");
  EXPECT_EQ(sent.header("if-none-match"), "*");
  const std::string signed_headers = sent.header("authorization");
  EXPECT_NE(signed_headers.find("x-amz-tagging"), std::string::npos);
}

TEST_F(S3RequestTest, SendsABodyInChunks) {
  S3Settings chunked;
  chunked.chunked = true;
  const Sent open = put(chunked, {}, false);
  EXPECT_EQ(open.header("x-amz-content-sha256"), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
  EXPECT_EQ(open.header("content-encoding"), "aws-chunked");
  EXPECT_EQ(open.header("x-amz-decoded-content-length"), "5");
  EXPECT_EQ(open.header("x-amz-trailer"), "x-amz-checksum-crc32c");
  const std::string authorization = open.header("authorization");
  const std::string seed = authorization.substr(authorization.find("Signature=") + 10);
  ChunkFrames frames({keys_.get(false), clock_.time, "us-east-1", "s3"}, clock_.time, seed);
  std::string expected = frames.before(as_bytes("hello"));
  expected += "hello\r\n";
  expected += frames.end({{"x-amz-checksum-crc32c", "mnG7TA=="}});
  EXPECT_EQ(open.body, expected);

  const Sent secure = put(chunked);
  EXPECT_EQ(secure.header("x-amz-content-sha256"), "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  EXPECT_EQ(secure.body, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n");

  chunked.checksum = ChecksumKind::none;
  EXPECT_EQ(put(chunked, {}, false).header("x-amz-content-sha256"), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  EXPECT_EQ(put(chunked).header("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");  // nothing for chunks to carry
}

class ConditionalPutTest : public S3RequestTest {
 protected:
  void lose_the_reply() {
    transport_.answer([](const Sent&) -> HttpResponse { throw TransportError(TransportError::Kind::broken, "reset"); });
  }
  void refuse() { transport_.answer({412, {}, "<Error><Code>PreconditionFailed</Code></Error>"}); }
  void say_it_is(Headers headers) { transport_.answer({200, std::move(headers), {}}); }
  std::string put_if_absent() {
    S3Settings settings;
    settings.choice.region = "us-east-1";
    PutOptions options;
    options.only_if_absent = true;
    return S3(transport_, &keys_, clock_.clock(), settings).put({"b", "k"}, "hello", options);
  }
};

TEST_F(ConditionalPutTest, KnowsItsOwnObjectAgainWhenAReplyWasLost) {
  const Headers by_etag{{"Content-Length", "5"}, {"ETag", "\"5d41402abc4b2a76b9719d911017c592\""}};
  const Headers by_checksum{{"Content-Length", "5"}, {"ETag", "\"x\""}, {"x-amz-checksum-crc32c", "mnG7TA=="}};
  for (const Headers& ours : {by_etag, by_checksum}) {
    lose_the_reply();
    refuse();
    say_it_is(ours);
    say_it_is(ours);
    EXPECT_EQ(put_if_absent(), ours[1].value);
    EXPECT_EQ(transport_.left(), 0U);
  }
}

TEST_F(ConditionalPutTest, DoesNotTakeAnothersForItsOwn) {
  const Headers same_size{{"Content-Length", "5"}, {"ETag", "\"0123456789abcdef0123456789abcdef\""}};
  const Headers other_sum{{"Content-Length", "5"}, {"ETag", "\"x\""}, {"x-amz-checksum-crc32c", "AAAAAA=="}};
  const Headers other_size{{"Content-Length", "6"}, {"ETag", "\"5d41402abc4b2a76b9719d911017c592\""}};
  for (const Headers& others : {same_size, other_sum, other_size}) {
    lose_the_reply();
    refuse();
    say_it_is(others);
    EXPECT_THROW(put_if_absent(), cloud::Error);
    EXPECT_EQ(transport_.left(), 0U);
  }
  refuse();  // at once: it was there before, whatever it is
  EXPECT_THROW(put_if_absent(), cloud::Error);
  EXPECT_EQ(transport_.left(), 0U);
}

TEST(S3Settings, ComeFromTheUsersFiles) {
  TestSurroundings made_up;
  made_up.files["/home/.aws/config"] =
      "[default]\nregion = eu-central-1\nrequest_checksum_calculation = when_required\ns3 =\n"
      "  addressing_style = path\n  payload_signing_enabled = true\n";
  const S3Settings settings = s3_settings(Config({}, made_up.surroundings()));
  EXPECT_EQ(settings.choice.region, "eu-central-1");
  EXPECT_TRUE(settings.choice.path_style);
  EXPECT_FALSE(settings.checksum_when_supported);
  EXPECT_TRUE(settings.validate_when_supported);
  EXPECT_EQ(settings.payload_signing, PayloadSigning::always);
  EXPECT_EQ(s3_client_settings(Config({}, made_up.surroundings())).attempts, 10);
  EXPECT_FALSE(s3_client_settings(Config({}, made_up.surroundings())).adaptive);
  made_up.variables["AWS_RETRY_MODE"] = "adaptive";
  EXPECT_TRUE(s3_client_settings(Config({}, made_up.surroundings())).adaptive);
  made_up.variables["AWS_RETRY_MODE"] = "eager";
  EXPECT_THROW(static_cast<void>(s3_client_settings(Config({}, made_up.surroundings()))), cloud::Error);
  made_up.variables["AWS_ENDPOINT_URL_S3"] = "http://here";
  EXPECT_EQ(s3_settings(Config({}, made_up.surroundings())).choice.custom, "http://here");
  EXPECT_EQ(s3_settings(Config({.endpoint_url = "http://flag"}, made_up.surroundings())).choice.custom, "http://flag");
  made_up.variables["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "sometimes";
  EXPECT_THROW(static_cast<void>(s3_settings(Config({}, made_up.surroundings()))), cloud::Error);
}

}  // namespace
}  // namespace plume::tests
