// A request with the body that it only points to, and what an operation asks of both besides their contents.
// Source: the Smithy specification, "Endpoint traits", "requestCompression trait", "httpChecksumRequired trait",
// "idempotencyToken trait".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cloud/client/service_client.hpp"
#include "cloud/protocols/shape.hpp"

namespace plume::cloud {

struct OperationTraits {
  std::string host_prefix{};  // stands before the endpoint's host: "{AccountId}."
  bool compressed = false;    // by gzip, where the body has at least compressed_from bytes
  bool needs_md5 = false;
};
inline constexpr std::size_t compressed_from = 10'240;

class OutgoingRequest {
 public:
  // `body` nothing: none. `input` has the labels of the host. Throws cloud::Error (usage) where one is missing or
  // could not be part of a host's name.
  OutgoingRequest(ServiceRequest request, std::optional<std::string> body, const OperationTraits& traits,
                  const nlohmann::json& input);
  OutgoingRequest(const OutgoingRequest&) = delete;
  OutgoingRequest& operator=(const OutgoingRequest&) = delete;

  [[nodiscard]] const ServiceRequest& request() const noexcept { return request_; }

 private:
  ServiceRequest request_;
  std::optional<TextBody> body_;
};

// The input, and a token made of chance (a UUID of version 4) for each of its members that is one and is missing: by it
// a service knows a request that is tried again.
[[nodiscard]] nlohmann::json with_tokens(nlohmann::json input, const Shape& shape, const Clock& clock);

}  // namespace plume::cloud
