// `plume data fetch` as a user runs it, from a Ceph that has real ABI files under NOAA's own keys, for everybody to read.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "../real_data.hpp"
#include "../unet/program.hpp"
#include "loopback_server.hpp"
#include "s3_server_test.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

const std::string c01 = "OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc";
const std::string c06 = "OR_ABI-L1b-RadM1-M6C06_G17_s20193002000275_e20193002000338_c20193002000366.nc";

std::vector<std::string> fetch(const std::string& endpoint, const std::string& folder,
                               std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"data", "fetch", "--endpoint", endpoint, "-o", folder, "--product", "RadM1"};
  for (const auto& [option, value] :
       {std::pair{"--satellite", "17"}, {"--start", "2019-10-27T20:00"}, {"--end", "2019-10-27T20:01"}})
    if (std::find(more.begin(), more.end(), option) == more.end()) arguments.insert(arguments.end(), {option, value});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class DataFetch : public S3ServerTest {
 protected:
  DataFetch() : S3ServerTest(ServerKind::rgw) {}

  void SetUp() override {
    source_ = real_data() / "goes17_kincade";
    if (!std::filesystem::exists(source_)) GTEST_SKIP() << "no ABI files at " << source_;
    bucket_ = "noaa-goes17";
    S3ServerTest::SetUp();
    if (IsSkipped()) return;
    for (const auto& file : std::filesystem::directory_iterator(source_))
      s3_->put(named("ABI-L1b-RadM/2019/300/20/" + file.path().filename().string()), read_file(file.path()));
    // Of the other sector, of another minute, and no file of the satellite's.
    for (const char* other : {"OR_ABI-L1b-RadM2-M6C01_G17_s20193002000575_e20193002001032_c20193002001079.nc",
                              "OR_ABI-L1b-RadM1-M6C01_G17_s20193002059275_e20193002059332_c20193002059379.nc",
                              "OR_ABI-L1b-RadM1-index.html"})
      s3_->put(named(std::string("ABI-L1b-RadM/2019/300/20/") + other), "x");
    open_to_everybody();
  }

  void fetches_what_is_asked_for_and_not_there();
  void says_in_one_line_what_is_wrong();
  void goes_on_after_a_signal();

  void open_to_everybody() {
    const std::string policy =
        nlohmann::json{{"Version", "2012-10-17"},
                       {"Statement",
                        {{{"Effect", "Allow"},
                          {"Principal", "*"},
                          {"Action", {"s3:ListBucket", "s3:GetObject"}},
                          {"Resource", {"arn:aws:s3:::" + bucket_, "arn:aws:s3:::" + bucket_ + "/*"}}}}}}
            .dump();
    TextBody body(policy);
    ServiceRequest put;
    put.what = "PutBucketPolicy";
    put.endpoint = {*parse_url(server().url() + '/' + bucket_), "s3", "us-east-1"};
    put.method = "PUT";
    put.query = "policy=";
    put.body = &body;
    put.payload_hash = hex(sha256(policy));
    static_cast<void>(s3_->client().call(put));
  }

  void expect_whole(const std::vector<std::string>& names) {
    EXPECT_EQ(names_in(target_), names);  // no part of a file beside them either
    for (const std::string& name : names) EXPECT_TRUE(read_file(target_ + '/' + name) == read_file(source_ / name));
  }

  std::filesystem::path source_;
  std::string target_ = folder_ / "abi";
};

void DataFetch::fetches_what_is_asked_for_and_not_there() {
  const Outcome dry = run_plume(fetch(server().url(), target_, {"--dry-run"}));
  EXPECT_EQ(dry.exit_code, 0) << dry.errors;
  EXPECT_NE(dry.output.find("322348  s3://noaa-goes17/ABI-L1b-RadM/2019/300/20/" + c06), std::string::npos)
      << dry.output;
  EXPECT_FALSE(std::filesystem::exists(target_));

  const Outcome some = run_plume(fetch(server().url(), target_, {"--bands", "1,6", "--json"}));
  EXPECT_EQ(some.exit_code, 0) << some.errors;
  const auto report = nlohmann::json::parse(some.output);
  EXPECT_EQ(report.at("fetched"), 2);
  EXPECT_EQ(report.at("bytes_fetched"), 991183 + 322348);
  expect_whole({c01, c06});

  // One is damaged, one is there, four are new; what was begun of one is of another object.
  std::filesystem::resize_file(target_ + '/' + c01, 1000);
  write_file(target_ + '/' + c01 + ".plume-part", "x");
  write_file(target_ + '/' + c01 + ".plume-part.log", "16777216 991183 \"other\"\n0 1\n");
  const Outcome all = run_plume(fetch(server().url(), target_, {"--bands", "1-16", "--jobs", "3"}));
  EXPECT_EQ(all.exit_code, 0) << all.errors;
  EXPECT_NE(all.output.find("6 files, 5 of them fetched"), std::string::npos) << all.output;
  expect_whole(names_in(source_));
}

void DataFetch::says_in_one_line_what_is_wrong() {
  const std::string url = server().url();
  expect_failed(run_plume(fetch(url, target_, {"--end", "2019-10-27"})), 2, {"--end 2019-10-27", "YYYY-MM-DDTHH:MM"});
  expect_failed(run_plume(fetch(url, target_, {"--end", "2019-10-27T20:00"})), 2, {"is not after --start"});
  expect_failed(run_plume(fetch(url, target_, {"--bands", "0"})), 2, {"'0' is no choice of bands"});
  expect_failed(run_plume(fetch(url, target_, {"--bands", "17"})), 2, {"--bands 17"});
  expect_failed(run_plume(fetch(url, target_, {"--bands", "2"})), 3, {"s3://noaa-goes17 has no RadM1 of bands 2"});
  expect_failed(run_plume(fetch(url, target_, {"--satellite", "18"})), 4, {"s3://noaa-goes18", "NoSuchBucket"});
  expect_failed(run_plume(fetch("ftp://mirror", target_)), 2, {"ftp://mirror"});
  const Surroundings once{{"AWS_MAX_ATTEMPTS=1"}, {}};
  expect_failed(run_plume(fetch("http://127.0.0.1:1", target_), once), 6, {"ListObjectsV2 s3://noaa-goes17"});
  write_file(folder_ / "file", "x");
  expect_failed(run_plume(fetch(url, folder_ / "file")), 4, {"file", "cannot be made"});
  const Surroundings small_disk{{}, 100'000};
  expect_failed(run_plume(fetch(url, target_, {"--bands", "6"}), small_disk), 4, {c06, "cannot be written"});
  EXPECT_EQ(std::filesystem::exists(target_ + '/' + c06), false);
}

// A server that sends the half of a file and no more, until it is let go.
void DataFetch::goes_on_after_a_signal() {
  std::atomic<bool> half_sent = false;
  const auto transport = make_transport();
  const auto half = [&](const ServerRequest& request, ServerConnection& connection) {
    HttpRequest onward;
    onward.method = request.method;
    onward.url = *parse_url(server().url() + request.target);
    const HttpResponse response = transport->send(onward);
    const bool is_file = request.target.ends_with(".nc");
    connection.reply_head(response.status, response.body.size(), {{"ETag", std::string(response.header("etag"))}});
    connection.send(std::string_view(response.body).substr(0, response.body.size() / (is_file ? 2 : 1)));
    if (is_file) half_sent = true;
  };
  const LoopbackServer slow(half);
  const std::string errors = folder_ / "errors";
  RunningPlume running(fetch(slow.url(), target_, {"--bands", "1"}), errors);
  for (int i = 0; i < 500 && !half_sent; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_TRUE(half_sent);
  running.signal(SIGTERM);
  EXPECT_EQ(running.wait_for(20), std::optional(4));
  EXPECT_NE(read_file(errors).find("stopped by a signal after 0 of 1 files; the same command goes on"),
            std::string::npos)
      << read_file(errors);
  EXPECT_FALSE(std::filesystem::exists(target_ + '/' + c01));
  const Outcome rest = run_plume(fetch(server().url(), target_, {"--bands", "1"}));
  EXPECT_EQ(rest.exit_code, 0) << rest.errors;
  expect_whole({c01});
}

// One after the other, as bringing the server up takes longer than all of them.
TEST_F(DataFetch, KeepsItsWord) {
  fetches_what_is_asked_for_and_not_there();
  std::filesystem::remove_all(target_);
  says_in_one_line_what_is_wrong();
  std::filesystem::remove_all(target_);
  goes_on_after_a_signal();
}

}  // namespace
}  // namespace plume::tests
