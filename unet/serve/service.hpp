// A whole server: models, scheduler, API and HTTP, put together as the settings say.
#pragma once

#include <chrono>

#include "unet/serve/api.hpp"
#include "unet/serve/budget.hpp"
#include "unet/serve/device.hpp"
#include "unet/serve/http/counts.hpp"
#include "unet/serve/http/server.hpp"
#include "unet/serve/model_store.hpp"
#include "unet/serve/settings.hpp"

namespace plume::serve {

class Service {
 public:
  // Listens, and answers that it is not ready. Throws usage_error for the host, environment_error where
  // it cannot listen, or has not got the device.
  explicit Service(const ServeSettings& settings);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Loads the model, has it answer a tile, and says from then on that all is well. Throws as Model does.
  void load();

  // To be called now and then: after the last of some requests it gives the memory that they took back to the system.
  void rest();

  // Ends: true where all that was asked has been answered within the limit.
  [[nodiscard]] bool drain(std::chrono::milliseconds limit);

  // One line for people.
  [[nodiscard]] std::string describe() const;

 private:
  ServeSettings settings_;
  Budget budget_;
  http::Counts counts_;
  Device device_;
  ModelStore models_;
  Api api_;
  http::Server server_;
  std::uint64_t answered_ = 0;  // when rest() was called last
  bool rested_ = true;          // since then
};

}  // namespace plume::serve
