// A signed permission to upload by an HTML form.
// Source: Amazon S3 API Reference, "Browser-Based Uploads Using POST".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/signing/sigv4.hpp"

namespace plume::cloud {

struct PostPolicy {
  std::string bucket;
  std::string key;             // exactly, or
  bool key_is_prefix = false;  // what the key begins with; "${filename}" behind it stands for the file's own name
  Time expires{};
  std::uint64_t least_size = 0;  // bytes
  std::uint64_t most_size = 5ULL << 30;
  Headers fields;  // further form fields, each allowed with exactly this value
};

// All fields of the form but the file, which must come last.
[[nodiscard]] Headers sign_post(const PostPolicy& policy, const Credentials& credentials, const SigningKey& key,
                                Time time);

// Of a policy's text in base64.
[[nodiscard]] std::string post_signature(const SigningKey& key, std::string_view encoded_policy);

}  // namespace plume::cloud
