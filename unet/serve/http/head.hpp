// The text before a body, of requests and answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "unet/serve/http/message.hpp"

namespace plume::serve::http {

// The path of "/path?query" or of "http://host/path?query", which servers must take too (RFC 9112, 3.2.2).
[[nodiscard]] std::string path_of(std::string_view target);

// Whether a client's X-Request-Id may be given back: up to 128 visible ASCII characters.
[[nodiscard]] bool is_request_id(std::string_view text);

// The time as headers have it: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string date();

// Status line and headers up to the empty line. closes: no answer follows on this connection; retry_after: for who is refused
// for now (503).
[[nodiscard]] std::string head_of(const Response& response, std::string_view request_id, bool closes,
                                  std::chrono::milliseconds retry_after);

}  // namespace plume::serve::http
