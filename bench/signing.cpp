// How many small requests a core signs per second, and what of it is hashing: for a put to S3 with a checksum, and for
// a call in JSON.
#include <benchmark/benchmark.h>

#include "cloud/signing/sigv4.hpp"

namespace {

using namespace plume::cloud;

Credentials keys(bool with_token) {
  Credentials credentials;
  credentials.access_key_id = "AKIAIOSFODNN7EXAMPLE";
  credentials.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  if (with_token) credentials.session_token = Secret(std::string(400, 't'));
  return credentials;
}

const Time now = parse_time("20130524T000000Z").value();

// As ServiceClient signs: what a request always has is added to a copy of its headers; the key of the day is at hand.
void sign_put(benchmark::State& state) {
  const Credentials credentials = keys(state.range(0) != 0);
  const SigningKey key(credentials, now, "eu-central-1", "s3");
  const Headers given{{"Content-Type", "application/octet-stream"},
                      {"x-amz-sdk-checksum-algorithm", "CRC32C"},
                      {"x-amz-checksum-crc32c", "mnG7TA=="}};
  std::size_t hashed = 0;
  for (auto _ : state) {
    Headers headers = given;
    headers.push_back({"x-amz-content-sha256", std::string(unsigned_payload)});
    headers.push_back({"Host", "bucket.s3.eu-central-1.amazonaws.com"});
    const Signature signature =
        sign_headers("PUT", "/folder/tile-0001.npy", "", headers, credentials, key, now, s3_path, unsigned_payload);
    benchmark::DoNotOptimize(signature.signature.data());
    hashed = signature.canonical.text.size() + signature.string_to_sign.size();
  }
  state.counters["requests"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["bytes"] = static_cast<double>(hashed);
}
BENCHMARK(sign_put)->ArgName("token")->Arg(0)->Arg(1);

void sign_call(benchmark::State& state) {
  const Credentials credentials = keys(false);
  const SigningKey key(credentials, now, "eu-central-1", "sagemaker");
  const std::string body = R"({"EndpointName":"smoke-finder"})";
  const Headers given{{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", "SageMaker.DescribeEndpoint"}};
  for (auto _ : state) {
    Headers headers = given;
    headers.push_back({"Host", "api.sagemaker.eu-central-1.amazonaws.com"});
    const Signature signature =
        sign_headers("POST", "/", "", headers, credentials, key, now, PathRules{}, hex(sha256(body)));
    benchmark::DoNotOptimize(signature.signature.data());
  }
  state.counters["requests"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(sign_call);

// The hashing alone: of a canonical request (300 bytes), and a code for a string to sign (140 bytes).
void hash_alone(benchmark::State& state) {
  const std::string canonical(300, 'c');
  const std::string to_sign(140, 's');
  const Digest key = sha256("key");
  for (auto _ : state) {
    benchmark::DoNotOptimize(sha256(canonical));
    benchmark::DoNotOptimize(hmac_sha256(key, to_sign));
  }
  state.counters["requests"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(hash_alone);

// Once a day, region and service.
void make_key(benchmark::State& state) {
  const Credentials credentials = keys(false);
  for (auto _ : state) benchmark::DoNotOptimize(SigningKey(credentials, now, "eu-central-1", "s3").scope().data());
}
BENCHMARK(make_key);

}  // namespace
