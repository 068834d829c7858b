// The one form of a request that client and server both compute a signature over.
// Source: AWS, "Create a signed AWS API request", the canonical request.
#pragma once

#include <string>
#include <string_view>

#include "cloud/signing/headers.hpp"

namespace plume::cloud {

// What is signed of a request, all as it is sent; the views must outlive the call they are given to.
struct RequestView {
  std::string_view method;
  std::string_view path;   // percent-encoded
  std::string_view query;  // without '?'
  const Headers& headers;  // with host
};

// S3 signs a path as it is sent. All other services sign it encoded a second time, and without dots.
struct PathRules {
  bool encoded_again = true;
  bool without_dots = true;
};
inline constexpr PathRules s3_path{false, false};

// Stands for the payload's hash where it is not computed; over HTTPS alone is that safe.
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

struct CanonicalRequest {
  std::string text;
  std::string signed_headers;  // host;x-amz-date
};

// Signs all headers but those that proxies and HTTP libraries change: Connection, Expect, Transfer-Encoding,
// User-Agent, X-Amzn-Trace-Id and Authorization itself. payload_hash: 64 hexadecimal digits, or a word for none.
[[nodiscard]] CanonicalRequest canonical_request(const RequestView& request, PathRules rules,
                                                 std::string_view payload_hash);

// Its parameters encoded anew, each with '=', sorted by name, then value.
[[nodiscard]] std::string canonical_query(std::string_view query);

}  // namespace plume::cloud
