// What a request asks to be looked at: an image in its body, or the name of an object that is one.
#pragma once

#include <string>

#include "cloud/lambda/event.hpp"
#include "cloud/s3/client.hpp"

namespace plume::lambda {

struct Image {
  std::string bytes;
  std::string content_type;
  bool from_s3 = false;
};

struct ImageRules {
  std::string bucket;      // that images are in, whatever a request says; empty: the one that it names
  std::uint64_t most = 0;  // bytes
};

// A body of application/json that is an object with "file_name" names one, in "bucket", maybe with its "content_type";
// any other body is the image. An object's type is that, else its name's, else its own.
// Throws RequestError, and cloud::Error where S3 does not give it.
[[nodiscard]] Image image_of(const Request& request, const ImageRules& rules, cloud::S3& s3);

}  // namespace plume::lambda
