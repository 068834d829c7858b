// The keys of AWS's public documentation, which sign its examples and nothing else.
#pragma once

#include "cloud/signing/sigv4.hpp"

namespace plume::tests {

inline cloud::Credentials example_keys() {
  cloud::Credentials keys;
  keys.access_key_id = "AKIAIOSFODNN7EXAMPLE";
  keys.secret_access_key = cloud::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  return keys;
}

// When S3's examples were signed.
inline const cloud::Time example_time = *cloud::parse_time("20130524T000000Z");

inline cloud::SigningKey example_key() {
  return {example_keys(), example_time, "us-east-1", "s3"};
}

}  // namespace plume::tests
