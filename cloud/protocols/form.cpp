// Percent-encoded, with %20 for a blank; nested values under dotted names.
#include "cloud/protocols/form.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "cloud/protocols/scalar.hpp"
#include "cloud/signing/percent.hpp"

namespace plume::cloud {
Form& Form::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += percent_encode(name);
  text_ += '=';
  text_ += percent_encode(value);
  return *this;
}

Form& Form::add_value(const std::string& name, const nlohmann::json& value, const Shape& shape, bool flattened) {
  if (shape.type == Type::structure) {
    for (const Member& member : shape.members) {
      const auto found = value.find(member.name);
      if (found == value.end() || found->is_null()) continue;
      add_value(name.empty() ? member.sent_as() : fmt::format("{}.{}", name, member.sent_as()), *found, *member.shape,
                member.flattened);
    }
  } else if (shape.type == Type::list) {
    if (value.empty()) return add(name, "");
    const std::string prefix = flattened ? name : fmt::format("{}.{}", name, shape.element().sent_or("member"));
    for (std::size_t i = 0; i < value.size(); ++i)
      add_value(fmt::format("{}.{}", prefix, i + 1), value[i], *shape.element().shape);
  } else if (shape.type == Type::map) {
    int number = 0;
    for (const auto& [key, inner] : value.items()) {
      const std::string entry = fmt::format("{}{}.{}", name, flattened ? "" : ".entry", ++number);
      add(fmt::format("{}.{}", entry, shape.key().sent_or("key")), key);
      add_value(fmt::format("{}.{}", entry, shape.value().sent_or("value")), inner, *shape.value().shape);
    }
  } else {
    add(name, to_text(value, shape, TimeFormat::iso));
  }
  return *this;
}

}  // namespace plume::cloud
