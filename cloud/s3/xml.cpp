// Written by hand, read by pugixml.
#include "cloud/s3/xml.hpp"

namespace plume::cloud {

std::string xml_escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '&': escaped += "&amp;"; break;
      case '"': escaped += "&quot;"; break;
      case '\r': escaped += "&#13;"; break;
      case '\n': escaped += "&#10;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string xml_element(std::string_view name, std::string_view text) {
  return fmt::format("<{}>{}</{}>", name, xml_escape(text), name);
}

pugi::xml_document parse_xml(const std::string& what, std::string_view body, std::string_view root) {
  pugi::xml_document document;
  const pugi::xml_parse_result result =
      document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!result || document.document_element().name() != root)
    throw cloud_error(Failure::unavailable, "{}: the answer is no {}: is that an S3 server?", what, root);
  return document;
}

}  // namespace plume::cloud
