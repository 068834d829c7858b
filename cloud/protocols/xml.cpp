// An element a value; lists and maps as their members say, flattened or not.
#include "cloud/protocols/xml.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "cloud/error.hpp"
#include "cloud/protocols/scalar.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

// Also of line breaks, which a parser would change: pugixml's own escapes leave them.
std::string escape(std::string_view text) {
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

void add_namespace(pugi::xml_node node, const XmlNamespace& space) {
  if (space.uri.empty()) return;
  const std::string name = space.prefix.empty() ? "xmlns" : "xmlns:" + space.prefix;
  node.append_attribute(name.c_str()).set_value(escape(space.uri).c_str());
}

pugi::xml_node add_element(pugi::xml_node parent, const std::string& name, const XmlNamespace& space) {
  pugi::xml_node node = parent.append_child(name.c_str());
  add_namespace(node, space);
  return node;
}

const XmlNamespace& namespace_of(const Member& member) {
  return member.xml_namespace.uri.empty() ? member.shape->xml_namespace : member.xml_namespace;
}

void fill(pugi::xml_node node, const Json& value, const Shape& shape);

void fill_entry(pugi::xml_node entry, const std::string& key, const Json& value, const Shape& map) {
  fill(add_element(entry, map.key().sent_or("key"), namespace_of(map.key())), key, *map.key().shape);
  fill(add_element(entry, map.value().sent_or("value"), namespace_of(map.value())), value, *map.value().shape);
}

void add_flattened(pugi::xml_node parent, const Json& value, const Member& member) {
  for (const auto& [key, inner] : value.items()) {
    const bool list = member.shape->type == Type::list;
    pugi::xml_node node =
        add_element(parent, member.sent_as(), list ? namespace_of(member.shape->element()) : namespace_of(member));
    if (list) {
      fill(node, inner, *member.shape->element().shape);
    } else {
      fill_entry(node, key, inner, *member.shape);
    }
  }
}

void fill_structure(pugi::xml_node node, const Json& value, const Shape& shape) {
  for (const Member& member : shape.members) {
    const auto found = value.find(member.name);
    if (member.place != Place::body || found == value.end() || found->is_null()) continue;
    if (member.xml_attribute) {
      node.append_attribute(member.sent_as().c_str())
          .set_value(escape(to_text(*found, *member.shape, TimeFormat::iso)).c_str());
    } else if (member.flattened) {
      add_flattened(node, *found, member);
    } else {
      fill(add_element(node, member.sent_as(), namespace_of(member)), *found, *member.shape);
    }
  }
}

void fill(pugi::xml_node node, const Json& value, const Shape& shape) {
  if (shape.type == Type::structure) return fill_structure(node, value, shape);
  if (shape.type == Type::list) {
    const Member& element = shape.element();
    for (const Json& inner : value)
      fill(add_element(node, element.sent_or("member"), namespace_of(element)), inner, *element.shape);
  } else if (shape.type == Type::map) {
    for (const auto& [key, inner] : value.items()) fill_entry(node.append_child("entry"), key, inner, shape);
  } else {
    node.append_child(pugi::node_pcdata).set_value(escape(to_text(value, shape, TimeFormat::iso)).c_str());
  }
}

void read_entry(const pugi::xml_node& entry, const Shape& map, Json& into) {
  const std::string key = map.key().sent_or("key");
  const std::string value = map.value().sent_or("value");
  into[entry.child_value(key.c_str())] = from_xml(entry.child(value.c_str()), *map.value().shape);
}

Json read_flattened(const pugi::xml_node& parent, const Member& member) {
  const bool list = member.shape->type == Type::list;
  Json value = list ? Json::array() : Json::object();
  for (const pugi::xml_node node : parent.children(member.sent_as().c_str())) {
    if (list) {
      value.push_back(from_xml(node, *member.shape->element().shape));
    } else {
      read_entry(node, *member.shape, value);
    }
  }
  return value.empty() ? Json() : value;
}

Json read_member(const pugi::xml_node& node, const Member& member) {
  if (member.flattened) return read_flattened(node, member);
  if (member.xml_attribute) {
    const pugi::xml_attribute found = node.attribute(member.sent_as().c_str());
    return found ? from_text(found.value(), *member.shape) : Json();
  }
  const pugi::xml_node found = node.child(member.sent_as().c_str());
  return found ? from_xml(found, *member.shape) : Json();
}

}  // namespace

std::string to_xml(const Json& value, const Shape& shape, const std::string& name) {
  pugi::xml_document document;
  fill(add_element(document, name, shape.xml_namespace), value, shape);
  std::ostringstream text;
  document.save(
      text, "",
      pugi::format_raw | pugi::format_no_declaration | pugi::format_no_empty_element_tags | pugi::format_no_escapes);
  return text.str();
}

pugi::xml_document parse_xml(const std::string& what, const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single))
    throw cloud_error(Failure::unavailable, "{}: the answer is no XML", what);
  return document;
}

Json from_xml(const pugi::xml_node& node, const Shape& shape) {
  Json value = shape.type == Type::list ? Json::array() : Json::object();
  switch (shape.type) {
    case Type::structure:
      for (const Member& member : shape.members) {
        if (!member.in_reply_body()) continue;
        Json inner = read_member(node, member);
        if (!inner.is_null()) value[member.name] = std::move(inner);
      }
      return value;
    case Type::list: {
      const std::string name = shape.element().sent_or("member");
      for (const pugi::xml_node inner : node.children(name.c_str()))
        value.push_back(from_xml(inner, *shape.element().shape));
      return value;
    }
    case Type::map:
      for (const pugi::xml_node entry : node.children("entry")) read_entry(entry, shape, value);
      return value;
    default: return from_text(node.child_value(), shape);
  }
}

}  // namespace plume::cloud
