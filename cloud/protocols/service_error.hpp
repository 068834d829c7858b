// What a service says when it refuses, in whichever of AWS's forms.
// Source: the Smithy specification, AWS protocols: restXml, awsQuery, awsJson1_1, restJson1.
#pragma once

#include <string>

#include "cloud/error.hpp"
#include "cloud/http/message.hpp"

namespace plume::cloud {

struct ServiceError {
  int status = 0;
  std::string code;     // NoSuchKey; where the reply names none, what its status is called: NotFound
  std::string message;  // may be empty
  std::string type;     // Sender or Receiver, where said
  std::string request_id;
  std::string region;       // where the bucket is instead
  std::string server_time;  // where a clock was found wrong
};

// Of a reply, or of one of 200 whose body is an error. Copes with an empty body or message, XML from a service that
// speaks JSON, and HTML from what stands between.
[[nodiscard]] ServiceError parse_service_error(const HttpResponse& response);

// Whether a body is an error, whatever its status says: S3 answers some requests with 200 before it knows.
[[nodiscard]] bool holds_error(const HttpResponse& response);

// What a caller can do about it.
[[nodiscard]] Failure failure_of(const ServiceError& error);

// "GetObject s3://bucket/key: NoSuchKey (404): The specified key does not exist. (request 4442587FB7D0A2F9)"
[[nodiscard]] Error to_error(const std::string& what, const ServiceError& error);

}  // namespace plume::cloud
