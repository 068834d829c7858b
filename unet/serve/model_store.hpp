// The models that a server has, by name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "unet/serve/model.hpp"

namespace plume::serve {

struct StoreSettings {
  std::filesystem::path folder;  // that models may be loaded from while the server runs
  std::size_t memory_limit = 0;  // bytes that the process may come to by loading; 0: any
  unet::PredictionSettings prediction{};
};

// Safe to call from several threads.
class ModelStore {
 public:
  // The device must outlive it.
  ModelStore(Device& device, StoreSettings settings) : device_(device), settings_(std::move(settings)) {}

  // Loads a model and warms it up. Throws as Model does.
  void load(const std::string& name, const std::filesystem::path& path);

  // The same on a client's word, and only from the folder. Throws RequestError: bad_request for a name that has other characters
  // than letters, digits, "-", "_" and ".", or a path outside of the folder; conflict where there is one of that name;
  // not_found without such a file; unprocessable_content for a damaged one; insufficient_storage beyond the memory limit.
  void add(const std::string& name, const std::string& path);

  // Who computes with it meanwhile goes on. Throws RequestError (not_found).
  void remove(const std::string& name);

  // Throws RequestError (not_found).
  [[nodiscard]] std::shared_ptr<Model> find(const std::string& name) const;

  struct Named {
    std::string name;
    std::string path;
  };
  [[nodiscard]] std::vector<Named> list() const;

 private:
  Device& device_;
  StoreSettings settings_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Model>> models_;
};

}  // namespace plume::serve
