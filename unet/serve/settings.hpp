// How a server is set up: by options, by SageMaker's variables, or by what SageMaker expects of a container.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "unet/inference/device.hpp"

namespace plume::serve {

struct ServeSettings {
  std::string model;  // a .safetensors, or a folder that has one; empty only with multi_model
  std::string host = "127.0.0.1";
  int port = 8080;
  unet::DeviceSettings device;
  int workers = 0;  // threads that decode, compute and encode; 0: one a core
  int threads = 0;  // of the CPU for a request that is alone; 0: all cores. Several requests take one each
  int max_batch = 0;
  double max_wait_ms = 0;
  std::size_t max_queue = 64;
  double max_payload_mb = 6;
  std::size_t max_connections = 16384;
  double in_flight_mb = 512;
  double timeout = 60;  // seconds
  float threshold = 0.5F;
  std::string default_accept = "application/json";
  bool multi_model = false;
  std::string models_folder = "/opt/ml/models";
  double memory_limit_mb = 0;  // 0: none
  bool access_log = false;
};

}  // namespace plume::serve
