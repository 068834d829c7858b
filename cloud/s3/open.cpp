// The settings of AWS's own clients, by their names.
#include "cloud/s3/open.hpp"

namespace plume::cloud {
namespace {

bool when_supported(const Config& config, const char* variable, const char* key) {
  const std::string value = config.setting(variable, key).value_or("when_supported");
  if (same_but_for_case(value, "when_supported")) return true;
  if (same_but_for_case(value, "when_required")) return false;
  throw cloud_error(Failure::usage, "{}: {} is neither when_supported nor when_required", variable, value);
}

}  // namespace

S3Settings s3_settings(const Config& config) {
  static constexpr Service s3{"s3", "s3-fips", "s3", "S3"};
  S3Settings settings;
  static_cast<EndpointChoice&>(settings.choice) = config.endpoint_choice(s3);
  if (const std::string& url = config.flags().endpoint_url; !url.empty()) {
    settings.choice.custom = url;
    settings.choice.fips = settings.choice.dual_stack = false;
  }
  if (settings.choice.region.empty()) settings.choice.region = "us-east-1";
  const Properties s3_section = sub_properties(config.setting("", "s3").value_or(""));
  const auto in_section = [&](const char* key) {
    const auto found = s3_section.find(key);
    return found == s3_section.end() ? std::string() : found->second;
  };
  settings.choice.path_style = same_but_for_case(in_section("addressing_style"), "path");
  settings.choice.accelerate = is_true(in_section("use_accelerate_endpoint"));
  if (const auto use = config.setting("AWS_S3_USE_ARN_REGION", "s3_use_arn_region"))
    settings.choice.use_arn_region = is_true(*use);
  settings.checksum_when_supported =
      when_supported(config, "AWS_REQUEST_CHECKSUM_CALCULATION", "request_checksum_calculation");
  settings.validate_when_supported =
      when_supported(config, "AWS_RESPONSE_CHECKSUM_VALIDATION", "response_checksum_validation");
  if (const std::string sign = in_section("payload_signing_enabled"); !sign.empty())
    settings.payload_signing = is_true(sign) ? PayloadSigning::always : PayloadSigning::never;
  return settings;
}

ClientSettings s3_client_settings(const Config& config) {
  ClientSettings settings;
  settings.attempts = config.attempts().value_or(10);
  return settings;
}

}  // namespace plume::cloud
