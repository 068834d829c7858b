// Requests of the query protocol, which STS speaks: a form's fields, with nested values under dotted names.
// Source: the Smithy specification, "AWS query protocol".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

// Fields of application/x-www-form-urlencoded, and of an address's query.
class Form {
 public:
  Form& add(std::string_view name, std::string_view value);
  // Where there is a value.
  Form& add_if(std::string_view name, std::string_view value) { return value.empty() ? *this : add(name, value); }
  // An object's members as name.member, a list's as name.member.1 and so on; an object without a name as its members.
  Form& add_tree(const std::string& name, const nlohmann::json& value);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

// The reply's XML. `what` for messages. Throws as ServiceClient::call.
[[nodiscard]] std::string query_call(ServiceClient& client, const Endpoint& endpoint, const std::string& what,
                                     const std::string& action, const std::string& version, const Form& parameters);

}  // namespace plume::cloud
