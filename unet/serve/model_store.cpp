// Loading by name, with an eye on where from and how much.
#include "unet/serve/model_store.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/serve/process_state.hpp"
#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 256;

void require_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= longest_name && name.front() != '.' &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
                    });
  if (!good) throw request_error(Status::bad_request, "a model's name has letters, digits, '-', '_' and '.'");
}

// The path, links followed, if it is in the folder.
fs::path require_inside(const fs::path& path, const fs::path& folder) {
  std::error_code failed;
  const fs::path root = fs::canonical(folder, failed);
  const fs::path whole = failed ? fs::path() : fs::canonical(folder / path, failed);
  if (failed) throw request_error(Status::not_found, "there is no model at the url");
  const auto [rest, ignored] = std::mismatch(root.begin(), root.end(), whole.begin(), whole.end());
  if (rest != root.end()) throw request_error(Status::bad_request, "the url is not inside of the models' folder");
  return whole;
}

std::size_t size_of(const fs::path& path) {
  std::error_code failed;
  std::size_t bytes = 0;
  if (!fs::is_directory(path, failed)) return static_cast<std::size_t>(fs::file_size(path, failed));
  for (const auto& entry : fs::directory_iterator(path, failed)) {
    if (entry.is_regular_file(failed)) bytes += static_cast<std::size_t>(entry.file_size(failed));
  }
  return bytes;
}

}  // namespace

void ModelStore::load(const std::string& name, const fs::path& path) {
  auto model = std::make_shared<Model>(path, device_, settings_.prediction);
  model->warm_up();
  const std::scoped_lock lock(mutex_);
  if (!models_.emplace(name, std::move(model)).second) {
    throw request_error(Status::conflict, "there is a model of the name {}", name);
  }
}

void ModelStore::add(const std::string& name, const std::string& path) {
  require_name(name);
  {
    const std::scoped_lock lock(mutex_);
    if (models_.contains(name)) throw request_error(Status::conflict, "there is a model of the name {}", name);
  }
  const fs::path inside = require_inside(path, settings_.folder);
  if (settings_.memory_limit > 0 && resident_bytes() + size_of(inside) > settings_.memory_limit) {
    throw request_error(Status::insufficient_storage, "there is no memory left for another model; unload one");
  }
  try {
    load(name, inside);
  } catch (const Error& error) {
    throw RequestError(Status::unprocessable_content, error.what());
  }
}

void ModelStore::remove(const std::string& name) {
  const auto gone = find(name);  // outlives the lock: freeing a model takes time
  const std::scoped_lock lock(mutex_);
  models_.erase(name);
}

std::shared_ptr<Model> ModelStore::find(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = models_.find(name);
  if (found == models_.end()) throw request_error(Status::not_found, "there is no model of the name {}", name);
  return found->second;
}

std::vector<ModelStore::Named> ModelStore::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Named> named;
  for (const auto& [name, model] : models_) named.push_back({name, model->path().string()});
  return named;
}

}  // namespace plume::serve
