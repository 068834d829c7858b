// What all transports make sure of.
#include "cloud/http/transport.hpp"

namespace plume::cloud {

void check_headers(const HttpRequest& request) {
  const auto breaks = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
  };
  for (const Header& header : request.headers)
    if (breaks(header.name) || breaks(header.value))
      throw TransportError(TransportError::Kind::refused,
                           fmt::format("{}: a header's name or value has more than one line", request.url.authority()));
}

void keep(HttpResponse& response, std::string_view bytes, std::size_t most, const Url& from) {
  if (bytes.size() > most - response.body.size())
    throw TransportError(TransportError::Kind::refused,
                         fmt::format("{}: answers with more than {} bytes", from.authority(), most));
  response.body += bytes;
}

}  // namespace plume::cloud
