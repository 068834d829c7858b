// Numbers as JSON writes them, with the fewest digits that give the same value.
#include "cloud/protocols/scalar.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "cloud/signing/time.hpp"
#include "kernels/base/base64.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

std::string time_text(const Json& value, TimeFormat format) {
  if (format == TimeFormat::seconds) return value.dump();
  const Time time{std::chrono::seconds(value.get<long>())};
  return format == TimeFormat::iso ? iso_time(time) : http_date(time);
}

template <class Number>
Json number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? Json(value) : Json();
}

Json time_of(std::string_view text) {
  if (const auto time = parse_time(text)) return time->time_since_epoch().count();
  const Json seconds = number_of<double>(text);
  return seconds.is_null() ? seconds : Json(seconds.get<long>());
}

}  // namespace

std::string to_text(const Json& value, const Shape& shape, TimeFormat usual) {
  if (shape.type == Type::timestamp) return time_text(value, shape.time == TimeFormat::usual ? usual : shape.time);
  if (!value.is_string()) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  return shape.type == Type::blob ? base64(text) : text;
}

Json from_text(std::string_view text, const Shape& shape) {
  switch (shape.type) {
    case Type::boolean: return text == "true" ? Json(true) : text == "false" ? Json(false) : Json();
    case Type::integer: return number_of<long>(text);
    case Type::number: {
      const bool word = text == "NaN" || text == "Infinity" || text == "-Infinity";
      return word ? Json(text) : number_of<double>(text);
    }
    case Type::timestamp: return time_of(text);
    case Type::blob: {
      const auto bytes = from_base64(text);
      return bytes ? Json(*bytes) : Json();
    }
    default: return text;
  }
}

}  // namespace plume::cloud
