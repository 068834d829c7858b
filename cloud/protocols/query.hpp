// Requests of the query protocol, which STS speaks: a form's fields, with nested values under dotted names.
// Source: the Smithy specification, "AWS query protocol".
#pragma once

#include <string>
#include <string_view>

namespace plume::cloud {

// Fields of application/x-www-form-urlencoded, and of an address's query.
class Form {
 public:
  Form& add(std::string_view name, std::string_view value);
  // Where there is a value.
  Form& add_if(std::string_view name, std::string_view value) { return value.empty() ? *this : add(name, value); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace plume::cloud
