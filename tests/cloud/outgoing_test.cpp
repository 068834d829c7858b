// What operations ask of their requests besides the contents.
#include "cloud/protocols/outgoing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libdeflate.h>

#include <nlohmann/json.hpp>

#include "expect_cloud_error.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

ServiceRequest example() {
  ServiceRequest request;
  request.what = "Do";
  request.endpoint = {*parse_url("https://example.com"), "service", "us-east-1"};
  return request;
}

std::string host_of(const std::string& prefix, const Json& input) {
  return OutgoingRequest(example(), std::nullopt, {.host_prefix = prefix}, input).request().endpoint.url.host;
}

std::string gunzip(const std::string& text, std::size_t size) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  std::string plain(size, '\0');
  EXPECT_EQ(
      libdeflate_gzip_decompress(decompressor.get(), text.data(), text.size(), plain.data(), plain.size(), nullptr),
      LIBDEFLATE_SUCCESS);
  return plain;
}

TEST(OutgoingRequest, PutsLabelsBeforeTheHost) {
  EXPECT_EQ(host_of("", {}), "example.com");
  EXPECT_EQ(host_of("{A}.data-{B}.", {{"A", "one"}, {"B", "2-x"}}), "one.data-2-x.example.com");
  // What would make another host of it.
  for (const char* const label : {"", "evil.com/", "a.b", "a@b", "\r\n"})
    expect_cloud_error(Failure::usage, "Do: A", [&] { return host_of("{A}.", {{"A", label}}); });
  expect_cloud_error(Failure::usage, "Do: A", [] { return host_of("{A}.", {}); });
  expect_cloud_error(Failure::usage, "Do: A", [] { return host_of("{A}.", {{"A", std::string(64, 'a')}}); });
}

TEST(OutgoingRequest, CompressesWhatIsWorthIt) {
  std::string text;
  for (int i = 0; text.size() < compressed_from; ++i) text += std::to_string(i);
  text.resize(compressed_from);
  ScriptedTransport transport;
  TestClock clock;
  ServiceClient client(transport, nullptr, clock.clock());
  for (const std::string& body : {text, text.substr(1)}) {
    transport.answer({200, {}, {}});
    const OutgoingRequest outgoing(example(), body, {.compressed = true}, {});
    static_cast<void>(client.call(outgoing.request()));
    EXPECT_EQ(outgoing.request().payload_hash, hex(sha256(transport.sent().back().body)));
  }
  const Sent& large = transport.sent().at(0);
  EXPECT_EQ(large.header("Content-Encoding"), "gzip");
  EXPECT_LT(large.body.size(), text.size() / 2);
  EXPECT_EQ(gunzip(large.body, text.size()), text);
  EXPECT_EQ(transport.sent().at(1).header("Content-Encoding"), "");
  EXPECT_EQ(transport.sent().at(1).body, text.substr(1));
}

TEST(OutgoingRequest, TokensAreRandomUuids) {
  const Shape shape{.members = {{.name = "Token", .shape = &string_shape, .idempotency_token = true},
                                {.name = "Other", .shape = &string_shape}}};
  const Clock clock = system_clock();
  const Json made = with_tokens(Json::object(), shape, clock);
  EXPECT_EQ(made.size(), 1);
  const std::string token = made["Token"];
  EXPECT_THAT(token, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(with_tokens(Json::object(), shape, clock)["Token"], token);
  EXPECT_EQ(with_tokens({{"Token", "mine"}}, shape, clock)["Token"], "mine");
}

}  // namespace
}  // namespace plume::tests
