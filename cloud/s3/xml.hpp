// S3's documents in XML.
#pragma once

#include <string>
#include <string_view>

#include "cloud/protocols/xml.hpp"

namespace plume::cloud {

inline const std::string s3_namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

// A reply's document; throws cloud::Error (unavailable) naming `what` where it is none, or of another name.
[[nodiscard]] pugi::xml_document parse_xml(const std::string& what, const std::string& body, std::string_view root);

}  // namespace plume::cloud
