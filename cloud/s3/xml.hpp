// The few XML documents that S3 wants and sends.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "cloud/error.hpp"

namespace plume::cloud {

// Characters that would be markup, and those that XML cannot hold as they are, as references.
[[nodiscard]] std::string xml_escape(std::string_view text);

// <name>text</name>
[[nodiscard]] std::string xml_element(std::string_view name, std::string_view text);

// A reply's document; throws cloud::Error (unavailable) naming `what` where it is none, or of another name.
[[nodiscard]] pugi::xml_document parse_xml(const std::string& what, std::string_view body, std::string_view root);

}  // namespace plume::cloud
