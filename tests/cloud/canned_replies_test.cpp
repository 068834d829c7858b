// The scripted replies with which AWS's own client for S3 is tested: each takes part in a transfer, and all 38 are
// counted.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <set>

#include "aws_data.hpp"
#include "cloud/s3/download.hpp"
#include "cloud/s3/upload.hpp"
#include "s3_server.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

// S3 as the script says: the last reply of an operation answers all further requests of it.
class CannedServer final : public Transport {
 public:
  explicit CannedServer(std::set<std::string>& used) : used_(used) {}

  CannedServer& on(const std::string& operation, std::initializer_list<const char*> replies) {
    for (const char* const reply : replies) script_[operation].push_back(operation + '/' + reply + ".json");
    return *this;
  }

  HttpResponse send(const HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    const std::string operation = operation_of(request);
    auto& replies = script_[operation];
    if (replies.empty()) throw std::logic_error("unexpected " + operation);
    const std::string file = replies.front();
    if (replies.size() > 1) replies.pop_front();
    used_.insert(file);
    ++counts_[operation];
    requests_.push_back(request);
    HttpResponse response = read(file, request);
    if (request.sink != nullptr && response.ok()) {
      request.sink->begin(response);
      request.sink->write(as_bytes(response.body));
      response.body.clear();
    }
    if (request.method == "HEAD") response.body.clear();
    return response;
  }

  [[nodiscard]] int count(const std::string& operation) { return counts_[operation]; }
  [[nodiscard]] const std::vector<HttpRequest>& requests() const { return requests_; }
  [[nodiscard]] std::string header(std::size_t request, std::string_view name) const {
    const std::string* const value = find_header(requests_.at(request).headers, name);
    return value == nullptr ? std::string() : *value;
  }

 private:
  static std::string operation_of(const HttpRequest& request) {
    const std::string& query = request.url.query;
    const auto has = [&](const char* name) { return query.find(name) != std::string::npos; };
    if (has("session=")) return "CreateSession";
    if (has("uploads=")) return "CreateMultipartUpload";
    if (has("uploadId=") && request.method == "PUT") return "UploadPart";
    if (has("uploadId=") && request.method == "POST") return "CompleteMultipartUpload";
    if (has("uploadId=") && request.method == "DELETE") return "AbortMultipartUpload";
    if (has("uploadId=")) return "ListParts";
    return "GetObject";  // and its HEAD
  }

  // <request-range> and <data-to-send> stand for what was asked for, in bytes of 'a'.
  static HttpResponse read(const std::string& file, const HttpRequest& request) {
    const auto reply = read_json(aws_data() / "s3-canned-replies/mock_s3_server" / file);
    const auto delay = std::chrono::seconds(reply.value("delay", 0));
    if (delay > request.timeouts.stall) throw TransportError(TransportError::Kind::timeout, "nothing came");
    std::string range = "bytes 0-65535";
    std::size_t size = 65536;
    if (const std::string* const asked = find_header(request.headers, "Range")) {
      const std::size_t dash = asked->find('-');
      const std::size_t first = std::stoul(asked->substr(6, dash - 6));
      const std::string total = reply["headers"].value("Content-Range", "");
      const std::size_t end =
          total.find('/') == std::string::npos ? 65536 : std::stoul(total.substr(total.find('/') + 1));
      const std::size_t last = std::min(std::stoul(asked->substr(dash + 1)), end - 1);
      range = fmt::format("bytes {}-{}", first, last);
      size = last + 1 - first;
    }
    HttpResponse response;
    response.status = reply["status"];
    for (const auto& [name, value] : reply["headers"].items()) {
      std::string text = value;
      if (text.starts_with("<request-range>")) text = range + text.substr(15);
      response.headers.push_back({name, text});
    }
    if (!reply.contains("body")) response.body.assign(65536, 'a');
    for (const auto& line : reply.value("body", nlohmann::json::array()))
      response.body += line == "<data-to-send>" ? std::string(size, 'a') : line.get<std::string>();
    if (find_header(response.headers, "Content-Length") == nullptr)
      response.headers.push_back({"Content-Length", std::to_string(response.body.size())});
    return response;
  }

  std::set<std::string>& used_;
  std::mutex mutex_;
  std::map<std::string, std::deque<std::string>> script_;
  std::map<std::string, int> counts_;
  std::vector<HttpRequest> requests_;
};

class CannedReplies {
 public:
  [[nodiscard]] CannedServer server() { return CannedServer(used_); }

  // A client of it.
  [[nodiscard]] std::unique_ptr<S3> client(CannedServer& server) {
    S3Settings settings;
    settings.choice.region = "us-west-2";
    ClientSettings client_settings;
    client_settings.attempts = 3;
    return std::make_unique<S3>(server, &keys_, clock_.clock(), settings, client_settings);
  }

  UploadResult upload(CannedServer& server, const std::string& encryption = {}) {
    const auto source = folder_ / "source";
    if (!std::filesystem::exists(source)) write_file(source, std::string(12 << 20, 'x'));
    UploadOptions options;
    options.single_up_to = 0;
    options.part_size = 5 << 20;
    options.jobs = 1;
    options.put.encryption = encryption;
    return upload_file(*client(server), source, name_, options);
  }

  DownloadResult download(CannedServer& server, bool resume = false) {
    DownloadOptions options;
    options.part_size = 65536;
    options.jobs = 1;
    options.resume = resume;
    return download_file(*client(server), name_, folder_ / "target", options);
  }
  [[nodiscard]] std::string downloaded() const { return read_file(folder_ / "target"); }
  [[nodiscard]] bool left_anything() const {
    return std::filesystem::exists(folder_ / "target.plume-part") ||
           std::filesystem::exists(folder_ / "target.plume-part.log");
  }

  template <class Call>
  static Failure failure(const Call& call) {
    try {
      call();
    } catch (const cloud::Error& error) {
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
      return error.failure();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Failure::usage;
  }

  void uploads();
  void broken_uploads();
  void lists_and_sessions();
  void downloads();
  void broken_downloads();
  [[nodiscard]] const std::set<std::string>& used() const { return used_; }

 private:
  std::set<std::string> used_;
  ScratchFolder folder_;
  TestClock clock_{*parse_time("2023-07-25T16:12:57Z")};
  FixedKeys keys_{"AKIDEXAMPLE", "secret"};
  ObjectName name_{"default", "default"};
};

constexpr const char* etag = "\"3858f62230ac3c915f300c664312c11f-9\"";

void CannedReplies::uploads() {
  CannedServer plain = server();
  plain.on("CreateMultipartUpload", {"default"})
      .on("UploadPart", {"default"})
      .on("CompleteMultipartUpload", {"default"});
  const UploadResult result = upload(plain);
  EXPECT_EQ(result.etag, etag);
  EXPECT_EQ(plain.count("UploadPart"), 3);

  CannedServer late = server();  // two bad moments, a wrong clock, and an error within a 200
  late.on("CreateMultipartUpload", {"request_time_too_skewed", "request_timeout", "default"})
      .on("UploadPart", {"throttle", "default", "throttle_before_finish", "default"})
      .on("CompleteMultipartUpload", {"async_internal_error", "default"});
  EXPECT_EQ(upload(late).etag, etag);
  EXPECT_EQ(late.header(1, "x-amz-date"), "20230725T162759Z");
  EXPECT_EQ(late.count("CreateMultipartUpload"), 3);
  EXPECT_EQ(late.count("UploadPart"), 5);
  EXPECT_EQ(late.count("CompleteMultipartUpload"), 2);

  CannedServer encrypted = server();
  encrypted.on("CreateMultipartUpload", {"default"})
      .on("UploadPart", {"default"})
      .on("CompleteMultipartUpload", {"sse_kms"});
  EXPECT_EQ(upload(encrypted, "aws:kms").etag, etag);
  EXPECT_EQ(encrypted.header(0, "x-amz-server-side-encryption"), "aws:kms");
}

void CannedReplies::broken_uploads() {
  const auto expect_aborted = [&](Failure expected, std::initializer_list<const char*> parts, const char* complete) {
    CannedServer broken = server();
    broken.on("CreateMultipartUpload", {"default"}).on("UploadPart", parts).on("CompleteMultipartUpload", {complete});
    broken.on("AbortMultipartUpload", {"default"});
    EXPECT_EQ(failure([&] { upload(broken); }), expected);
    EXPECT_EQ(broken.count("AbortMultipartUpload"), 1);
  };
  expect_aborted(Failure::unavailable, {"default", "missing_etag"}, "default");
  expect_aborted(Failure::credentials, {"default", "upload_part_error"}, "default");
  expect_aborted(Failure::credentials, {"default"}, "async_access_denied_error");
}

void CannedReplies::lists_and_sessions() {
  CannedServer pages = server();
  pages.on("ListParts", {"multiple_list_parts_1", "multiple_list_parts_2"});
  const std::vector<Part> parts = client(pages)->list_parts(name_, "id");
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].number, 2);
  EXPECT_EQ(parts[1].number, 3);
  EXPECT_EQ(parts[1].checksum_kind, ChecksumKind::crc32);
  EXPECT_EQ(parts[1].checksum, "yagJog==");
  EXPECT_NE(pages.requests().back().url.query.find("part-number-marker=2"), std::string::npos);

  CannedServer gap = server();
  gap.on("ListParts", {"resume_first_part_not_completed"});
  const std::vector<Part> rest = client(gap)->list_parts(name_, "id");
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].number, 2);
  EXPECT_EQ(rest[0].size, 8388608U);
  EXPECT_EQ(rest[0].checksum, "");

  CannedServer none = server();
  none.on("ListParts", {"default"});
  EXPECT_EQ(failure([&] { static_cast<void>(client(none)->list_parts(name_, "id")); }), Failure::not_found);

  CannedServer sessions = server();
  sessions.on("CreateSession", {"sse_kms", "default"}).on("GetObject", {"default"});
  const auto s3 = client(sessions);
  const std::string bucket = "tiles--usw2-az1--x-s3";
  EXPECT_EQ(s3->create_session(bucket, "aws:kms").access_key_id, "accessKeyId");
  EXPECT_EQ(sessions.header(0, "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(failure([&] { static_cast<void>(s3->get_text({bucket, "k"})); }), Failure::not_found);
  EXPECT_EQ(sessions.header(2, "x-amz-s3session-token"), "sessionToken");
  EXPECT_NE(sessions.header(2, "authorization").find("Credential=accessKeyId/"), std::string::npos);
  EXPECT_NE(sessions.header(2, "authorization").find("x-amz-s3session-token"), std::string::npos);
}

void CannedReplies::downloads() {
  CannedServer single = server();
  single.on("GetObject", {"get_object_checksum_single_part"});
  EXPECT_TRUE(download(single).verified);
  EXPECT_TRUE(downloaded() == std::string(65536, 'a'));

  CannedServer head = server();
  head.on("GetObject", {"get_object_checksum_single_part_head"});
  const ObjectInfo info = client(head)->head(name_);
  EXPECT_EQ(info.size, 65536U);
  ASSERT_TRUE(info.checksum);
  EXPECT_EQ(info.checksum->value, "wyCR/w==");

  CannedServer combined = server();
  combined.on("GetObject", {"get_object_checksum_combine_part", "get_object_checksum_combine_slow_part",
                            "get_object_checksum_combine_part", "get_object_checksum_combine_part",
                            "get_object_checksum_combine_head"});
  const DownloadResult whole = download(combined);
  EXPECT_TRUE(whole.verified);
  EXPECT_EQ(whole.size, 262144U);
  EXPECT_TRUE(downloaded() == std::string(262144, 'a'));

  CannedServer opaque = server();
  opaque.on("GetObject", {"get_object_opaque_etag"});
  EXPECT_EQ(download(opaque).etag, "IAMRANDOMETAG");
  EXPECT_EQ(opaque.header(1, "if-match"), "IAMRANDOMETAG");

  CannedServer slow = server();  // slower than patience once, then as slow as may be
  slow.on("GetObject", {"get_object_delay_60s", "get_object_checksum_single_part"});
  EXPECT_EQ(download(slow).size, 65536U);
  EXPECT_EQ(slow.count("GetObject"), 2);
  CannedServer paused = server();
  paused.on("GetObject",
            {"get_object_pause_normal_part", "get_object_pause_delayed_part", "get_object_pause_normal_part"});
  EXPECT_EQ(download(paused).size, 262144U);
  EXPECT_TRUE(downloaded() == std::string(262144, 'a'));

  CannedServer corrected = server();
  corrected.on("GetObject", {"get_object_checksum_retry", "get_object_checksum_single_part"});
  EXPECT_TRUE(download(corrected).verified);
  EXPECT_EQ(corrected.count("GetObject"), 2);
}

void CannedReplies::broken_downloads() {
  const auto expect = [&](Failure expected, std::initializer_list<const char*> replies, int requests) {
    CannedServer broken = server();
    broken.on("GetObject", replies);
    EXPECT_EQ(failure([&] { download(broken); }), expected) << *replies.begin();
    EXPECT_EQ(broken.count("GetObject"), requests) << *replies.begin();
    EXPECT_FALSE(left_anything()) << *replies.begin();
  };
  expect(Failure::not_found, {"default"}, 1);
  expect(Failure::not_found, {"get_object_long_error"}, 1);
  expect(Failure::unavailable, {"get_object_unmatch_checksum_crc32"}, 3);
  expect(Failure::failed, {"get_object_invalid_response_missing_content_range"}, 1);
  expect(Failure::failed, {"get_object_invalid_response_missing_etags"}, 1);
  expect(Failure::conflict, {"get_object_modified_first_part", "get_object_modified_success"}, 2);
  expect(Failure::failed, {"get_object_modified_first_part", "get_object_modified_failure"}, 2);
  expect(Failure::credentials, {"get_object_checksum_combine_part", "get_object_error_part"}, 2);

  // With resume what has come stays, and only the rest is asked for.
  CannedServer first = server();
  first.on("GetObject",
           {"get_object_checksum_combine_part", "get_object_checksum_combine_part", "get_object_error_part"});
  EXPECT_EQ(failure([&] { download(first, true); }), Failure::credentials);
  EXPECT_TRUE(left_anything());
  CannedServer second = server();
  second.on("GetObject", {"get_object_checksum_combine_head", "get_object_checksum_combine_part",
                          "get_object_checksum_combine_part", "get_object_checksum_combine_head"});
  const DownloadResult resumed = download(second, true);
  EXPECT_EQ(resumed.parts_found, 2U);
  EXPECT_TRUE(resumed.verified);
  EXPECT_TRUE(downloaded() == std::string(262144, 'a'));
  EXPECT_FALSE(left_anything());
}

TEST(CannedReplies, TakePartInTransfers) {
  PLUME_NEEDS_AWS_DATA();
  CannedReplies all;
  all.uploads();
  all.broken_uploads();
  all.lists_and_sessions();
  all.downloads();
  all.broken_downloads();
  const auto root = aws_data() / "s3-canned-replies/mock_s3_server";
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.is_regular_file()) there.insert(std::filesystem::relative(entry.path(), root).string());
  EXPECT_EQ(there.size(), 38U);
  EXPECT_EQ(all.used(), there);
}

}  // namespace
}  // namespace plume::tests
