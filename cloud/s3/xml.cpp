// A document of another name comes from what is no S3 server.
#include "cloud/s3/xml.hpp"

#include "cloud/error.hpp"

namespace plume::cloud {

pugi::xml_document parse_xml(const std::string& what, const std::string& body, std::string_view root) {
  pugi::xml_document document = parse_xml(what, body);
  if (document.document_element().name() != root)
    throw cloud_error(Failure::unavailable, "{}: the answer is no {}: is that an S3 server?", what, root);
  return document;
}

}  // namespace plume::cloud
