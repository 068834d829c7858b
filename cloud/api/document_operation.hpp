// Operations of restJson whose bodies are documents as AWS documents them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cloud/protocols/rest.hpp"

namespace plume::cloud {

// `labels` are the names in the path.
[[nodiscard]] RestOperation document_operation(std::string name, std::string method, std::string uri,
                                               const std::vector<std::string>& labels);

// The reply's document. `values` of the labels; `document` null: no body. Throws as rest_call.
nlohmann::json document_call(ServiceClient& client, const Endpoint& endpoint, const RestOperation& operation,
                             const nlohmann::json& values, const nlohmann::json& document = nullptr,
                             bool even_when_cancelled = false);

// The same; nothing where what is asked for is not there.
std::optional<nlohmann::json> find_document(ServiceClient& client, const Endpoint& endpoint,
                                            const RestOperation& operation, const nlohmann::json& values,
                                            bool even_when_cancelled = false);

// A map of texts in a reply's document; empty where there is none.
[[nodiscard]] std::map<std::string, std::string> texts_of(const nlohmann::json& document, const char* name);

}  // namespace plume::cloud
