// Shapes as AWS's models describe them in JSON.
#pragma once

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "cloud/protocols/shape.hpp"

namespace plume::tests {

class ModelShapes {
 public:
  using Json = nlohmann::json;
  explicit ModelShapes(const Json& shapes) : shapes_(shapes) {}  // which outlives it

  // What {"shape": NAME, ...} refers to; null: an empty structure.
  [[nodiscard]] const cloud::Shape& shape(const Json& reference) {
    if (reference.is_null()) return made_.emplace_back();
    const std::string name = reference["shape"];
    // A member's own format makes a shape of its own.
    const std::string key = name + (is_encoded(reference) ? " in base64" : "");
    const auto found = named_.find(key);
    if (found != named_.end()) return *found->second;
    cloud::Shape& made = made_.emplace_back();
    named_[key] = &made;
    made.name = name;
    fill(made, shapes_.at(name));
    if (is_encoded(reference)) made.type = cloud::Type::blob;
    return made;
  }

 private:
  // JSON in a header is text in base64.
  static bool is_encoded(const Json& reference) {
    return reference.contains("jsonvalue") && reference.contains("location");
  }

  void fill(cloud::Shape& made, const Json& model) {
    static const std::map<std::string, cloud::Type> types{
        {"structure", cloud::Type::structure}, {"list", cloud::Type::list},          {"map", cloud::Type::map},
        {"string", cloud::Type::string},       {"blob", cloud::Type::blob},          {"boolean", cloud::Type::boolean},
        {"integer", cloud::Type::integer},     {"long", cloud::Type::integer},       {"float", cloud::Type::number},
        {"double", cloud::Type::number},       {"timestamp", cloud::Type::timestamp}};
    made.type = model.value("document", false) ? cloud::Type::document : types.at(model["type"]);
    made.is_union = model.value("union", false);
    made.payload = model.value("payload", "");
    made.xml_name = model.value("locationName", "");
    made.xml_namespace = space_of(model);
    const std::string format = model.value("timestampFormat", "");
    made.time = format == "iso8601"         ? cloud::TimeFormat::iso
                : format == "rfc822"        ? cloud::TimeFormat::http
                : format == "unixTimestamp" ? cloud::TimeFormat::seconds
                                            : cloud::TimeFormat::usual;
    if (made.type == cloud::Type::structure)
      for (const auto& [name, member] : model["members"].items()) made.members.push_back(member_of(name, member));
    if (made.type == cloud::Type::list) made.members.push_back(member_of("", model["member"]));
    if (made.type == cloud::Type::map) made.members = {member_of("", model["key"]), member_of("", model["value"])};
  }

  cloud::Member member_of(const std::string& name, const Json& model) {
    static const std::map<std::string, cloud::Place> places{
        {"", cloud::Place::body},         {"uri", cloud::Place::label},       {"querystring", cloud::Place::query},
        {"header", cloud::Place::header}, {"headers", cloud::Place::headers}, {"statusCode", cloud::Place::status}};
    return {.name = name,
            .shape = &shape(model),
            .wire_name = model.value("locationName", ""),
            .place = places.at(model.value("location", "")),
            .flattened = model.value("flattened", false),
            .xml_attribute = model.value("xmlAttribute", false),
            .xml_namespace = space_of(model),
            .idempotency_token = model.value("idempotencyToken", false)};
  }

  static cloud::XmlNamespace space_of(const Json& model) {
    if (!model.contains("xmlNamespace")) return {};
    const Json& space = model["xmlNamespace"];
    if (space.is_string()) return {space, ""};
    return {space["uri"], space.value("prefix", "")};
  }

  const Json& shapes_;
  std::deque<cloud::Shape> made_;
  std::map<std::string, const cloud::Shape*> named_;
};

}  // namespace plume::tests
