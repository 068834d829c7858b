// AWS's Signature Version 4 test suite, and S3's document vectors: every case, in both forms.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "aws_data.hpp"
#include "cloud/signing/chunked.hpp"
#include "example_keys.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

// A request as the suite writes it: its path and values unencoded, values going on in the next line.
struct Request {
  std::string method;
  std::string path;
  std::string query;
  Headers headers;
  std::string body;
};

Request parse_request(const std::string& text) {
  Request request;
  const std::size_t head = std::min(text.find("\n\n"), text.size());
  if (head + 2 <= text.size()) request.body = text.substr(head + 2);
  std::istringstream lines(text.substr(0, head));
  std::string line;
  std::getline(lines, line);
  request.method = line.substr(0, line.find(' '));
  const std::string target = line.substr(request.method.size() + 1, line.rfind(' ') - request.method.size() - 1);
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = target.substr(std::min(mark + 1, target.size()));
  while (std::getline(lines, line)) {
    if (line.front() == ' ') {
      request.headers.back().value += '\n' + line;
    } else {
      request.headers.push_back({line.substr(0, line.find(':')), line.substr(line.find(':') + 1)});
    }
  }
  return request;
}

// Headers and parameters as a set: their order is nobody's business.
using Sorted = std::multiset<std::string>;

Sorted sorted_headers(const Headers& headers) {
  Sorted sorted;
  for (const Header& header : headers) sorted.insert(lower_case(header.name) + ':' + header.value);
  return sorted;
}

Sorted sorted_parameters(const std::string& query) {
  Sorted sorted;
  std::istringstream stream(query);
  for (std::string parameter; std::getline(stream, parameter, '&');) sorted.insert(parameter);
  return sorted;
}

class Case {
 public:
  explicit Case(std::filesystem::path folder)
      : folder_(std::move(folder)), context_(read_json(folder_ / "context.json")) {
    const auto& keys = context_["credentials"];
    credentials_.access_key_id = keys["access_key_id"];
    credentials_.secret_access_key = Secret(keys["secret_access_key"].get<std::string>());
    credentials_.session_token = Secret(keys.value("token", std::string()));
    time_ = *parse_time(context_["timestamp"].get<std::string>());
    key_.emplace(credentials_, time_, context_["region"].get<std::string>(), context_["service"].get<std::string>());
    if (context_.value("omit_session_token", false)) token_ = TokenIs::appended;
    rules_ = {.encoded_again = true, .without_dots = context_["normalize"].get<bool>()};
  }

  void check_headers() const {
    Request request = parse_request(read_file(folder_ / "request.txt"));
    const std::string hash = hex(sha256(request.body));
    if (context_["sign_body"]) request.headers.push_back({"x-amz-content-sha256", hash});
    const Signature signature = sign_headers(request.method, request.path, request.query, request.headers, credentials_,
                                             *key_, time_, rules_, hash, token_);
    compare("header", signature);
    EXPECT_EQ(sorted_headers(request.headers), sorted_headers(signed_request("header").headers));
  }

  void check_query() const {
    Request request = parse_request(read_file(folder_ / "request.txt"));
    const std::chrono::seconds expires(context_["expiration_in_seconds"].get<int>());
    const Signature signature = sign_query(request.method, request.path, request.query, request.headers, credentials_,
                                           *key_, time_, expires, rules_, hex(sha256(request.body)), token_);
    compare("query", signature);
    EXPECT_EQ(sorted_parameters(canonical_query(request.query)),
              sorted_parameters(canonical_query(signed_request("query").query)));
  }

 private:
  [[nodiscard]] std::string expected(const std::string& form, const std::string& what) const {
    return read_file(folder_ / (form + '-' + what + ".txt"));
  }
  [[nodiscard]] Request signed_request(const std::string& form) const {
    return parse_request(expected(form, "signed-request"));
  }
  void compare(const std::string& form, const Signature& signature) const {
    EXPECT_EQ(signature.canonical.text, expected(form, "canonical-request"));
    EXPECT_EQ(signature.string_to_sign, expected(form, "string-to-sign"));
    EXPECT_EQ(signature.signature, expected(form, "signature"));
  }

  std::filesystem::path folder_;
  nlohmann::json context_;
  Credentials credentials_;
  Time time_{};
  std::optional<SigningKey> key_;
  TokenIs token_ = TokenIs::signed_too;
  PathRules rules_;
};

TEST(SigV4Suite, EveryCaseInHeadersAndQuery) {
  PLUME_NEEDS_AWS_DATA();
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(aws_data() / "sigv4/aws-c-auth-v4")) {
    SCOPED_TRACE(entry.path().filename().string());
    const Case one(entry.path());
    one.check_headers();
    one.check_query();
    replayed += 2;
  }
  EXPECT_EQ(replayed, 2 * 38);
}

// The string to sign of each, from its canonical request where it has one, and the signature.
TEST(SigV4Suite, EveryDocumentVectorOfS3) {
  PLUME_NEEDS_AWS_DATA();
  const auto document = read_json(aws_data() / "sigv4/s3-doc-vectors.json");
  Credentials keys;
  keys.access_key_id = document["access_key"];
  keys.secret_access_key = Secret(document["secret_key"].get<std::string>());
  const Time time = *parse_time(document["date"].get<std::string>());
  const SigningKey key(keys, time, document["region"].get<std::string>(), "s3");
  const std::string body(66560, 'a');
  const auto bytes = as_bytes(body);
  std::optional<ChunkFrames> chunks;
  int replayed = 0;
  for (const auto& vector : document["vectors"]) {
    const std::string name = vector["name"];
    SCOPED_TRACE(name);
    const std::string signature = vector["signature"];
    if (vector.contains("canonical_request")) {
      const std::string text = string_to_sign(key, time, vector["canonical_request"].get<std::string>());
      EXPECT_EQ(text, vector["string_to_sign"]);
      EXPECT_EQ(key.sign(text), signature);
      if (name == "chunked-seed") chunks.emplace(key, time, signature);
    } else {
      ASSERT_TRUE(chunks);
      if (name == "chunk-1-65536a") {
        EXPECT_EQ(chunks->before(bytes.first(65536)), "10000;chunk-signature=" + signature + "\r\n");
      } else if (name == "chunk-2-1024a") {
        EXPECT_EQ(chunks->before(bytes.last(1024)), "400;chunk-signature=" + signature + "\r\n");
      } else {
        EXPECT_EQ(chunks->end({}), "0;chunk-signature=" + signature + "\r\n\r\n");
      }
    }
    ++replayed;
  }
  EXPECT_EQ(replayed, 9);
}

}  // namespace
}  // namespace plume::tests
