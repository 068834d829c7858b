// Fields of application/x-www-form-urlencoded, and of an address's query.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cloud/protocols/shape.hpp"

namespace plume::cloud {

class Form {
 public:
  Form& add(std::string_view name, std::string_view value);
  // Where there is a value.
  Form& add_if(std::string_view name, std::string_view value) { return value.empty() ? *this : add(name, value); }
  // A structure's members as name.member, a list's as name.member.1 and so on, a map's as name.entry.1.key and .value;
  // a structure without a name as its members. Source: the Smithy specification, "AWS query protocol".
  Form& add_value(const std::string& name, const nlohmann::json& value, const Shape& shape, bool flattened = false);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace plume::cloud
