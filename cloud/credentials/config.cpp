// Looks in one place after the other.
#include "cloud/credentials/config.hpp"

#include <charconv>

#include "cloud/signing/headers.hpp"

namespace plume::cloud {

Config::Config(Flags flags, Surroundings surroundings)
    : flags_(std::move(flags)), surroundings_(std::move(surroundings)), files_(read_profiles(surroundings_)) {
  std::optional<std::string> chosen = surroundings_.word("AWS_PROFILE");
  if (!chosen) chosen = surroundings_.word("AWS_DEFAULT_PROFILE");
  if (!flags_.profile.empty()) chosen = flags_.profile;
  profile_is_chosen_ = chosen.has_value();
  profile_ = chosen.value_or("default");
}

std::optional<std::string> Config::setting(const std::string& name, const std::string& key) const {
  if (!name.empty())
    if (auto value = surroundings_.word(name)) return value;
  const auto profile = files_.profiles.find(profile_);
  if (key.empty() || profile == files_.profiles.end()) return std::nullopt;
  const auto found = profile->second.find(key);
  if (found == profile->second.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

bool Config::is_set(const std::string& name, const std::string& key) const {
  const auto value = setting(name, key);
  return value && is_true(*value);
}

std::string Config::region() const {
  if (!flags_.region.empty()) return flags_.region;
  if (auto region = setting("AWS_REGION", "")) return *region;
  return setting("AWS_DEFAULT_REGION", "region").value_or("");
}

std::string Config::endpoint_url(const Service& service) const {
  if (is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")) return {};
  if (auto url = setting("AWS_ENDPOINT_URL_" + std::string(service.setting), "")) return *url;
  if (auto url = setting("AWS_ENDPOINT_URL", "")) return *url;
  if (const auto name = setting("", "services")) {
    if (const auto group = files_.services.find(*name); group != files_.services.end()) {
      const auto found = group->second.find(lower_case(service.setting));
      if (found != group->second.end()) {
        const Properties properties = sub_properties(found->second);
        if (const auto url = properties.find("endpoint_url"); url != properties.end()) return url->second;
      }
    }
  }
  return setting("", "endpoint_url").value_or("");
}

EndpointChoice Config::endpoint_choice(const Service& service) const {
  EndpointChoice choice;
  choice.region = region();
  choice.custom = endpoint_url(service);
  if (!choice.custom.empty()) return choice;
  choice.fips = is_set("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  choice.dual_stack = is_set("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  return choice;
}

TransportSettings Config::transport_settings() const {
  TransportSettings settings;
  settings.ca_bundle = setting("AWS_CA_BUNDLE", "ca_bundle").value_or("");
  return settings;
}

std::optional<int> Config::attempts() const {
  const auto text = setting("AWS_MAX_ATTEMPTS", "max_attempts");
  if (!text) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1)
    throw cloud_error(Failure::usage, "AWS_MAX_ATTEMPTS or max_attempts: {} is no number from 1", *text);
  return value;
}

}  // namespace plume::cloud
