// plume cloud doctor: whether all is there that the other commands need.
#include <fmt/core.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "cloud/endpoints/arn.hpp"
#include "cloud/identity.hpp"
#include "cloud/registry.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  CloudOptions cloud;
  std::string role;
  std::string image;
  std::string model;
};

// Checks one after the other; the first that fails gives the exit code.
class Examination {
 public:
  explicit Examination(bool json) : json_(json) {}

  void look(const char* what, const std::function<std::string()>& check) {
    bool fine = true;
    std::string says;
    try {
      says = check();
    } catch (const Error& error) {
      fine = false;
      says = error.what();
      if (exit_code_ == 0) exit_code_ = error.exit_code();
    }
    if (json_) {
      fmt::print("{}\n", nlohmann::ordered_json{{"check", what}, {"ok", fine}, {"says", says}}.dump());
    } else {
      fmt::print("{:<12} {:<4} {}\n", what, fine ? "ok" : "BAD", says);
    }
  }
  [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

 private:
  bool json_;
  int exit_code_ = 0;
};

std::string credentials_text(const cloud::Credentials& keys, cloud::Time now) {
  const std::string& id = keys.access_key_id;
  std::string text = fmt::format("key ...{} of {}", id.substr(id.size() < 4 ? 0 : id.size() - 4), keys.source);
  if (keys.expires) text += fmt::format(", for another {}", duration_text(*keys.expires - now));
  return text;
}

std::string role_text(cloud::Session& session, const std::string& role) {
  const auto arn = cloud::parse_arn(role);
  if (!arn || arn->resource.empty())
    throw cloud::cloud_error(cloud::Failure::usage, "{}: a role is arn:aws:iam::ACCOUNT:role/NAME", role);
  if (!role_serves(session.client(), iam_endpoint(session), arn->resource.back(), "sagemaker.amazonaws.com"))
    throw cloud::cloud_error(cloud::Failure::usage,
                             "{}: SageMaker may not take it on: its trust policy must allow "
                             "sts:AssumeRole to sagemaker.amazonaws.com",
                             role);
  return role + " is SageMaker's to take on";
}

std::string image_text(cloud::Session& session, const std::string& text) {
  const auto image = cloud::parse_image(text);
  if (!image) return text + " lies outside of Amazon's registry, where plume cannot look";
  if (image->region != session.region())
    throw cloud::cloud_error(cloud::Failure::usage, "{}: SageMaker takes images of its own region, {}", text,
                             session.region());
  return image_digest(session.client(), session.endpoint(cloud::container_registry), *image);
}

int run(const Arguments& arguments) {
  const auto session = open_session(arguments.cloud);
  Examination examination(arguments.cloud.json);
  examination.look("region", [&] { return session->region(); });
  examination.look("credentials",
                   [&] { return credentials_text(session->credentials().get(), session->clock().now()); });
  examination.look("identity", [&] { return caller_identity(session->client(), session->endpoint(cloud::sts)).arn; });
  examination.look("clock", [&] {
    const auto skew = session->client().skew().count();
    return skew == 0 ? std::string("as the services'") : fmt::format("{} s behind the services', allowed for", skew);
  });
  examination.look("sagemaker", [&] {
    const cloud::Endpoint endpoint = session->endpoint(cloud::sagemaker);
    const auto endpoints = cloud::SageMaker(session->client(), endpoint).list_endpoints();
    return fmt::format("{}, {} endpoints", endpoint.url.text(), endpoints.size());
  });
  if (!arguments.model.empty())
    examination.look("model", [&] {
      return fmt::format("{} bytes", session->s3()->head(cloud::parse_object_name(arguments.model)).size);
    });
  if (!arguments.role.empty()) examination.look("role", [&] { return role_text(*session, arguments.role); });
  if (!arguments.image.empty()) examination.look("image", [&] { return image_text(*session, arguments.image); });
  return examination.exit_code();
}

}  // namespace

void add_cloud_doctor_command(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = cloud_app.add_subcommand("doctor", "Says who one is to AWS, and what is missing");
  app->add_option("--role", arguments->role, "Look whether SageMaker may take on this role");
  app->add_option("--image", arguments->image, "Look whether this image is there");
  app->add_option("--model", arguments->model, "Look whether this s3:// object is there");
  add_cloud_options(*app, arguments->cloud);
  app->footer("Example: plume cloud doctor --role arn:aws:iam::123456789012:role/sagemaker");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet
