// One function for each kind of request.
#include "s3_server_test.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "../python.hpp"
#include "cloud/http/transport.hpp"
#include "cloud/s3/download.hpp"
#include "cloud/s3/local_file.hpp"
#include "cloud/s3/upload.hpp"

namespace plume::tests {

using namespace cloud;
using namespace std::chrono_literals;

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::string text((size + 7) / 8 * 8, '\0');
  for (std::size_t i = 0; i < text.size(); i += 8) {
    const std::uint64_t value = generator();
    std::memcpy(text.data() + i, &value, 8);
  }
  text.resize(size);
  return text;
}

void S3ServerTest::SetUp() {
  if (const std::string program = S3Server::missing(kind_); !program.empty())
    GTEST_SKIP() << "no " << program << " (Debian and Ubuntu: the packages of the purpose cloud in cmake/packages.txt)";
  server_ = std::make_unique<S3Server>(kind_);
  s3_ = server_->client();
  s3_->create_bucket(bucket_);
}

void S3ServerTest::check_objects() {
  PutOptions options;
  options.content_type = "text/plain";
  options.metadata = {{"run", "42"}};
  const std::string etag = s3_->put(named("a"), "hello", options);
  EXPECT_EQ(etag, "\"5d41402abc4b2a76b9719d911017c592\"");
  const ObjectInfo info = s3_->head(named("a"));
  EXPECT_EQ(info.size, 5U);
  EXPECT_EQ(info.etag, etag);
  EXPECT_EQ(info.content_type, "text/plain");
  EXPECT_EQ(info.metadata.at("run"), "42");
  EXPECT_TRUE(info.last_modified);
  EXPECT_EQ(s3_->get_text(named("a")), "hello");
  s3_->copy(named("a"), named("b/c d"));
  EXPECT_EQ(s3_->get_text(named("b/c d")), "hello");
  s3_->put(named("a"), "");
  EXPECT_EQ(s3_->get_text(named("a")), "");
  s3_->remove(named("a"));
  s3_->remove(named("a"));  // once more is fine
  EXPECT_EQ(s3_->find(named("a")), std::nullopt);
  EXPECT_EQ(failure([&] { static_cast<void>(s3_->get_text(named("a"))); }).failure(), Failure::not_found);
}

void S3ServerTest::check_odd_keys() {
  const std::vector<std::string> keys{"a b+c=d&e@f:g,h;i", "ä/日本/🔥",  "//two//slashes/", "./dots/../here",
                                      "?q#f%41%",          "()'*!~-_.", "\"<&>'",          "a\tb"};
  for (const std::string& key : keys) {
    SCOPED_TRACE(key);
    s3_->put(named(key), key);
    EXPECT_EQ(s3_->get_text(named(key)), key);
  }
  std::vector<std::string> listed;
  for (const ListedObject& object : s3_->list(bucket_, "").objects)
    if (object.key != "b/c d") listed.push_back(object.key);
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  std::sort(listed.begin(), listed.end());
  EXPECT_EQ(listed, sorted);
  EXPECT_TRUE(s3_->remove_all(bucket_, keys).empty());
  s3_->remove(named("b/c d"));
  EXPECT_TRUE(s3_->list(bucket_, "").objects.empty());
}

void S3ServerTest::check_listing() {
  for (const char* key : {"x/1", "x/2", "x/y/3", "x/z/4", "w"}) s3_->put(named(key), "1");
  const Listing folder = s3_->list(bucket_, "x/", "/");
  EXPECT_EQ(folder.prefixes, (std::vector<std::string>{"x/y/", "x/z/"}));
  ASSERT_EQ(folder.objects.size(), 2U);
  EXPECT_EQ(folder.objects[0].key, "x/1");
  EXPECT_EQ(folder.objects[0].size, 1U);
  std::size_t count = 0;
  std::string next;
  int pages = 0;
  do {
    const Listing page = s3_->list(bucket_, "", "", next, 2);
    count += page.objects.size();
    next = page.next;
    ++pages;
  } while (!next.empty());
  EXPECT_EQ(count, 5U);
  EXPECT_EQ(pages, 3);
}

void S3ServerTest::check_multipart() {
  const std::string bytes = noise((22 << 20) + 12345, 7);
  const auto source = folder_ / "source";
  write_file(source, bytes);
  std::atomic<std::uint64_t> done = 0;
  UploadOptions options;
  options.part_size = 5 << 20;
  options.put.content_type = "application/x-tar";
  options.progress = [&](std::uint64_t size) { done += size; };
  const UploadResult up = upload_file(*s3_, source, named("big"), options);
  EXPECT_EQ(up.parts, 5U);
  EXPECT_EQ(up.size, bytes.size());
  EXPECT_EQ(done, bytes.size());
  EXPECT_NE(up.etag.find("-5"), std::string::npos) << up.etag;
  EXPECT_EQ(s3_->head(named("big")).content_type, "application/x-tar");

  DownloadOptions parts;
  parts.part_size = 3 << 20;
  const DownloadResult down = download_file(*s3_, named("big"), folder_ / "copy", parts);
  EXPECT_EQ(down.size, bytes.size());
  EXPECT_TRUE(read_file(folder_ / "copy") == bytes);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "copy.plume-part"));

  // Broken off: two parts are there, one of which is not the file's.
  const std::string id = s3_->create_upload(named("resumed"), {});
  const LocalFile file(source, LocalFile::For::reading);
  FileBody second(file, 5 << 20, 5 << 20);
  TextBody wrong(std::string(5 << 20, 'x'));
  static_cast<void>(s3_->upload_part(named("resumed"), id, 2, second));
  static_cast<void>(s3_->upload_part(named("resumed"), id, 3, wrong));
  static_cast<void>(s3_->create_upload(named("resumed-not"), {}));  // another key's
  EXPECT_EQ(s3_->list_uploads(bucket_, "resumed").size(), 2U);
  options.resume = true;
  const UploadResult resumed = upload_file(*s3_, source, named("resumed"), options);
  EXPECT_EQ(resumed.parts_found, 1U);
  EXPECT_EQ(resumed.etag, up.etag);
  const auto left = s3_->list_uploads(bucket_, "resumed");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].key, "resumed-not");
  s3_->abort_upload(named("resumed-not"), left[0].id);
  s3_->abort_upload(named("resumed-not"), left[0].id);  // once more is fine
  EXPECT_TRUE(s3_->list_uploads(bucket_, "").empty());
}

void S3ServerTest::check_refusals() {
  s3_->put(named("kept"), "first");
  FixedKeys wrong_secret(server().access_key(), "not the secret");
  const auto stranger = server().client_with(&wrong_secret, system_clock());
  const cloud::Error wrong = failure([&] { stranger->put(named("kept"), "second"); });
  EXPECT_EQ(wrong.code(), "SignatureDoesNotMatch");
  EXPECT_EQ(wrong.failure(), Failure::credentials);

  const auto nobody = server().client_with(nullptr, system_clock());
  EXPECT_NE(failure([&] { nobody->put(named("kept"), "second"); }).failure(), Failure::not_found);

  // An hour late, which the client notices and corrects by itself.
  Clock late = system_clock();
  late.now = [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) - 1h; };
  FixedKeys keys(server().access_key(), S3Server::secret_key());
  const auto from_yesterday = server().client_with(&keys, late);
  EXPECT_EQ(from_yesterday->get_text(named("kept")), "first");
  EXPECT_NEAR(static_cast<double>(from_yesterday->client().skew().count()), 3600, 5);

  // A body that is not what was signed.
  TextBody tampered("second");
  ServiceRequest put;
  put.what = "PutObject tampered";
  put.endpoint = {*parse_url(server().url() + '/' + bucket_), "s3", "us-east-1"};
  put.method = "PUT";
  put.path = "/kept";
  put.body = &tampered;
  put.payload_hash = hex(sha256(std::string_view("something else")));
  EXPECT_EQ(failure([&] { static_cast<void>(s3_->client().call(put)); }).failure(), Failure::failed);
  EXPECT_EQ(s3_->get_text(named("kept")), "first");

  // Only Ceph knows conditions.
  PutOptions if_absent;
  if_absent.only_if_absent = true;
  const cloud::Error exists = failure([&] { s3_->put(named("kept"), "second", if_absent); });
  if (kind_ == ServerKind::rgw) {
    EXPECT_EQ(exists.failure(), Failure::conflict);
    EXPECT_NO_THROW(s3_->put(named("new"), "first", if_absent));
  } else {
    EXPECT_EQ(exists.failure(), Failure::unavailable);  // 501
  }
  EXPECT_EQ(s3_->get_text(named("kept")), "first");
}

void S3ServerTest::check_presigned() {
  const std::string key = "presigned ä+&";
  s3_->put(named(key), "by address");
  HttpRequest get;
  get.method = "GET";
  get.url = *parse_url(s3_->presign_get(named(key), 60s));
  EXPECT_EQ(server().transport().send(get).body, "by address");
  get.url.query[get.url.query.size() - 1] ^= 1;
  EXPECT_EQ(server().transport().send(get).status, 403);

  HttpRequest put;
  put.method = "PUT";
  put.url = *parse_url(s3_->presign_put(named(key), 60s));
  TextBody body("by another");
  put.body = &body;
  EXPECT_EQ(server().transport().send(put).status, 200);
  EXPECT_EQ(s3_->get_text(named(key)), "by another");
}

void S3ServerTest::check_form() {
  PostPolicy policy;
  policy.bucket = bucket_;
  policy.key = "posted/";
  policy.key_is_prefix = true;
  policy.expires = system_clock().now() + 60s;
  policy.most_size = 20;
  const auto post = [&](const std::string& text) {
    const S3::PostForm form = s3_->presign_post(policy);
    std::string content;
    for (const Header& field : form.fields)
      content +=
          fmt::format("--edge\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", field.name, field.value);
    content +=
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"tile.png\"\r\n"
        "Content-Type: application/octet-stream\r\n\r\n" +
        text + "\r\n--edge--\r\n";
    TextBody form_body(content);
    HttpRequest request;
    request.method = "POST";
    request.url = *parse_url(form.url);
    request.headers = {{"Content-Type", "multipart/form-data; boundary=edge"}};
    request.body = &form_body;
    return server().transport().send(request);
  };
  const HttpResponse posted = post("by a form");
  EXPECT_TRUE(posted.ok()) << posted.status << posted.body;
  EXPECT_EQ(s3_->get_text(named("posted/tile.png")), "by a form");
  EXPECT_FALSE(post("more than the twenty bytes allowed").ok());
}

// What one client writes, the other reads.
void S3ServerTest::check_peer() {
  if (!python_has("boto3")) return;
  const std::string bytes = noise((17 << 20) + 1, 9);
  write_file(folder_ / "ours", bytes);
  UploadOptions in_parts;
  in_parts.part_size = 5 << 20;
  upload_file(*s3_, folder_ / "ours", named("by plume ä+"), in_parts);
  const std::string script = fmt::format(
      "import boto3\n"
      "from botocore.config import Config\n"
      "s3 = boto3.client('s3', config=Config(s3={{'addressing_style': 'path'}}), endpoint_url='{}')\n"
      "s3.download_file('{}', 'by plume ä+', '{}')\n"
      "s3.upload_file('{}', '{}', 'by boto3 ä+')\n",
      server().url(), bucket_, (folder_ / "theirs").string(), (folder_ / "ours").string(), bucket_);
  write_file(folder_ / "peer.py", script);
  const std::string command =
      fmt::format("env {} {} '{}'", server().environment(), python, (folder_ / "peer.py").string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(read_file(folder_ / "theirs") == bytes);
  download_file(*s3_, named("by boto3 ä+"), folder_ / "back");
  EXPECT_TRUE(read_file(folder_ / "back") == bytes);
}

}  // namespace plume::tests
