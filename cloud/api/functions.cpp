// Requests under /2015-03-31/functions.
#include "cloud/api/functions.hpp"

#include "cloud/api/document_operation.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

const std::string root = "/2015-03-31/functions";

FunctionState state_of(const Json& configuration) {
  return {configuration.value("FunctionArn", ""), configuration.value("State", "Active"),
          configuration.value("StateReason", "")};
}

}  // namespace

std::optional<FunctionState> Functions::find(const std::string& name) {
  static const RestOperation operation =
      document_operation("GetFunctionConfiguration", "GET", root + "/{FunctionName}/configuration", {"FunctionName"});
  const auto reply = find_document(client_, endpoint_, operation, {{"FunctionName", name}});
  return reply ? std::optional(state_of(*reply)) : std::nullopt;
}

std::map<std::string, std::string> Functions::tags(const std::string& name) {
  static const RestOperation operation =
      document_operation("GetFunction", "GET", root + "/{FunctionName}", {"FunctionName"});
  const auto reply = find_document(client_, endpoint_, operation, {{"FunctionName", name}}, true);
  if (!reply) return {};
  // Told so with what else there is to say, and no tags: as if it had none.
  if (reply->contains("TagsError"))
    throw cloud_error(Failure::credentials, "the tags of function {} may not be read; allow lambda:ListTags", name);
  return texts_of(*reply, "Tags");
}

FunctionState Functions::create(const Json& function) {
  static const RestOperation operation = document_operation("CreateFunction", "POST", root, {});
  constexpr int most_attempts = 10;
  for (int attempt = 1;; ++attempt) {
    try {
      return state_of(document_call(client_, endpoint_, operation, nullptr, function));
    } catch (const Error& error) {
      const bool role = std::string_view(error.what()).find("cannot be assumed by Lambda") != std::string_view::npos;
      if (!role || attempt == most_attempts) throw;
      client_.clock().sleep(std::chrono::seconds(2), client_.settings().cancelled);
    }
  }
}

FunctionState Functions::wait_active(const std::string& name, std::chrono::milliseconds poll,
                                     std::chrono::milliseconds timeout) {
  const Time begin = client_.clock().now();
  while (true) {
    const auto state = find(name);
    if (!state) throw cloud_error(Failure::not_found, "function {} does not exist", name);
    if (state->state == "Active") return *state;
    if (state->state == "Failed") throw cloud_error(Failure::failed, "function {} failed: {}", name, state->reason);
    if (client_.clock().now() - begin >= timeout)
      throw cloud_error(Failure::timeout, "function {} is still {}", name, state->state);
    client_.clock().sleep(poll, client_.settings().cancelled);
  }
}

void Functions::allow(const std::string& name, const Json& permission) {
  static const RestOperation operation =
      document_operation("AddPermission", "POST", root + "/{FunctionName}/policy", {"FunctionName"});
  document_call(client_, endpoint_, operation, {{"FunctionName", name}}, permission);
}

void Functions::remove(const std::string& name) {
  static const RestOperation operation =
      document_operation("DeleteFunction", "DELETE", root + "/{FunctionName}", {"FunctionName"});
  static_cast<void>(find_document(client_, endpoint_, operation, {{"FunctionName", name}}, true));
}

}  // namespace plume::cloud
