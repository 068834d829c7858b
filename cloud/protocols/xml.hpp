// Documents in XML.
// Source: the Smithy specification, "XML binding traits" and "AWS restXml protocol".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <pugixml.hpp>
#include <string>

#include "cloud/protocols/shape.hpp"

namespace plume::cloud {

// One element of that name. What is placed elsewhere than in the body is left out.
[[nodiscard]] std::string to_xml(const nlohmann::json& value, const Shape& shape, const std::string& name);

// A reply's body; `what` for the message. Throws cloud::Error (unavailable) where it is no XML.
[[nodiscard]] pugi::xml_document parse_xml(const std::string& what, const std::string& body);

// What an element holds; what its shape does not have is left out.
[[nodiscard]] nlohmann::json from_xml(const pugi::xml_node& node, const Shape& shape);

}  // namespace plume::cloud
