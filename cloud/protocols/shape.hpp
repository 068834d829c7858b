// What a service takes and gives: the types of values, and where in a request or reply they stand.
// A value is JSON in memory whatever is sent: bytes are a string of them, times are seconds since 1970, and numbers
// that are not finite are the words NaN, Infinity and -Infinity.
// Source: the Smithy specification, "Simple types", "Aggregate types", "HTTP binding traits", "XML binding traits".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plume::cloud {

enum class Type { string, blob, boolean, integer, number, timestamp, document, list, map, structure };

enum class TimeFormat {
  usual,  // of the protocol, and of where the value stands
  seconds,
  iso,
  http,
};

enum class Place {
  body,
  label,  // {name} in the path
  query,  // a map: all of its entries
  header,
  headers,  // a map, under names that begin with the member's wire name
  status,   // of a reply
};

struct XmlNamespace {
  std::string uri{};
  std::string prefix{};
};

struct Shape;

// A structure's member, a list's element, a map's key or value.
struct Member {
  std::string name;         // in values; of elements, keys and values unused
  const Shape* shape;       // which outlives it
  std::string wire_name{};  // as it is sent; empty: `name`
  Place place = Place::body;
  bool flattened = false;  // in XML and forms: a list or map without an element around all of it
  bool xml_attribute = false;
  XmlNamespace xml_namespace{};
  bool idempotency_token = false;  // made up where it is missing

  // A shape may serve a request and a reply, which has neither path nor query.
  [[nodiscard]] bool in_reply_body() const noexcept {
    return place == Place::body || place == Place::label || place == Place::query;
  }
  [[nodiscard]] const std::string& sent_as() const noexcept { return wire_name.empty() ? name : wire_name; }
  [[nodiscard]] std::string sent_or(const char* usual) const { return wire_name.empty() ? usual : wire_name; }
};

struct Shape {
  Type type = Type::structure;
  std::string name{};             // of a structure that is a payload of XML
  std::vector<Member> members{};  // of a structure; a list's element; a map's key and value
  TimeFormat time = TimeFormat::usual;
  bool is_union = false;   // a structure of which one member is there
  std::string payload{};   // the member that is the body; empty: those placed there are its members
  std::string xml_name{};  // of the element; empty: as the operation or the member says
  XmlNamespace xml_namespace{};

  [[nodiscard]] const Member& element() const { return members.at(0); }
  [[nodiscard]] const Member& key() const { return members.at(0); }
  [[nodiscard]] const Member& value() const { return members.at(1); }
  [[nodiscard]] bool is_scalar() const noexcept { return type < Type::document; }
};

inline const Shape string_shape{.type = Type::string};
inline const Shape blob_shape{.type = Type::blob};
inline const Shape integer_shape{.type = Type::integer};
inline const Shape boolean_shape{.type = Type::boolean};
inline const Shape timestamp_shape{.type = Type::timestamp};
inline const Shape document_shape{.type = Type::document};

}  // namespace plume::cloud
