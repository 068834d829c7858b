// Media types as Content-Type and Accept name them (RFC 9110, sections 8.3 and 12.5.1).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plume::serve {

struct MediaType {
  std::string name;  // "image/png", in lower case; in Accept also "image/*" and "*/*"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, values as they are, unquoted

  // A parameter's value; empty where there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

// None where the text is no media type.
[[nodiscard]] std::optional<MediaType> parse_media_type(std::string_view text);

// One of the types that a client takes, with how much it likes it; what stands behind "q" is not among the parameters.
struct AcceptedType {
  MediaType type;
  double quality = 1;  // 0: not at all
};

// Throws RequestError (bad_request) where the text is no list of types.
[[nodiscard]] std::vector<AcceptedType> parse_accept(std::string_view text);

// Which of the types on offer, the preferred one first, the client likes best, with the parameters that it asked for it with.
// The most specific of its entries that fits a type counts for it. No entries at all: the first on offer.
// None where nothing fits.
[[nodiscard]] std::optional<MediaType> choose_type(const std::vector<AcceptedType>& accepted,
                                                   std::span<const std::string_view> offered);

}  // namespace plume::serve
