// Percent-encoded, with %20 for a blank.
#include "cloud/protocols/query.hpp"

#include <nlohmann/json.hpp>

#include "cloud/signing/percent.hpp"

namespace plume::cloud {

Form& Form::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += percent_encode(name);
  text_ += '=';
  text_ += percent_encode(value);
  return *this;
}

Form& Form::add_tree(const std::string& name, const nlohmann::json& value) {
  if (value.is_string()) return add(name, value.get_ref<const std::string&>());
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) add_tree(fmt::format("{}.member.{}", name, i + 1), value[i]);
    return value.empty() ? add(name, "") : *this;
  }
  if (!value.is_object()) return add(name, value.dump());
  for (const auto& [member, inner] : value.items())
    add_tree(name.empty() ? member : fmt::format("{}.{}", name, member), inner);
  return *this;
}

std::string query_call(ServiceClient& client, const Endpoint& endpoint, const std::string& what,
                       const std::string& action, const std::string& version, const Form& parameters) {
  std::string text = Form().add("Action", action).add("Version", version).text();
  if (!parameters.text().empty()) text += '&' + parameters.text();
  TextBody body(text);
  ServiceRequest request;
  request.what = what;
  request.endpoint = endpoint;
  request.method = "POST";
  request.path.push_back('/');
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = &body;
  request.payload_hash = hex(sha256(text));
  return client.call(request).body;
}

}  // namespace plume::cloud
