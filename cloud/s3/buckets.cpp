// Buckets: made, listed, removed.
#include "cloud/protocols/query.hpp"
#include "cloud/s3/client.hpp"
#include "cloud/s3/xml.hpp"
#include "cloud/signing/percent.hpp"

namespace plume::cloud {

void S3::create_bucket(const std::string& bucket) {
  ServiceRequest create = request("CreateBucket", "PUT", {bucket, {}});
  const std::string& region = create.endpoint.signing_region;
  TextBody body(region == "us-east-1"
                    ? std::string()
                    : "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                          xml_element("LocationConstraint", region) + "</CreateBucketConfiguration>");
  if (body.size() > 0) set_body(create, body);
  static_cast<void>(call(create));
}

void S3::delete_bucket(const std::string& bucket) {
  static_cast<void>(call(request("DeleteBucket", "DELETE", {bucket, {}})));
}

Listing S3::list(const std::string& bucket, const std::string& prefix, const std::string& delimiter,
                 const std::string& next, int most) {
  ServiceRequest list = request("ListObjectsV2", "GET", {bucket, {}});
  Form query;
  // Keys come percent-encoded: XML cannot hold all characters that they may have.
  query.add("list-type", "2").add("encoding-type", "url").add("max-keys", std::to_string(most));
  list.query = query.add_if("prefix", prefix).add_if("delimiter", delimiter).add_if("continuation-token", next).text();
  const pugi::xml_document document = parse_xml(list.what, call(list).body, "ListBucketResult");
  const pugi::xml_node root = document.document_element();
  const bool encoded = std::string_view(root.child_value("EncodingType")) == "url";
  const auto decoded = [&](std::string text) {
    if (!encoded) return text;
    for (char& c : text)  // as in a form, where a plus is a blank
      if (c == '+') c = ' ';
    return percent_decode(text);
  };
  Listing listing;
  for (const pugi::xml_node object : root.children("Contents"))
    listing.objects.push_back({decoded(object.child_value("Key")), object.child("Size").text().as_ullong(),
                               object.child_value("ETag"), parse_time(object.child_value("LastModified"))});
  for (const pugi::xml_node common : root.children("CommonPrefixes"))
    listing.prefixes.push_back(decoded(common.child_value("Prefix")));
  if (root.child("IsTruncated").text().as_bool()) listing.next = root.child_value("NextContinuationToken");
  return listing;
}

}  // namespace plume::cloud
