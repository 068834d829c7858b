// How a server is set up.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "unet/inference/device.hpp"
#include "unet/inference/predict.hpp"
#include "unet/serve/encode.hpp"

namespace plume::serve {

struct ServeSettings {
  std::filesystem::path model;          // a .safetensors, or a folder with one
  bool multi_model = false;             // no model at first; clients load some, from models_folder
  std::filesystem::path models_folder;  //
  double memory_limit = 0;              // MiB that the process may come to by loading models; 0: any
  std::filesystem::path samples;  // folder of images that the page offers; empty: the model's own, where it has one
  unet::DeviceSettings device{};
  unet::PredictionSettings prediction{};

  std::string host = "127.0.0.1";
  int port = 8080;
  int max_connections = 16384;
  double max_payload = 6;      // MiB of a body
  double max_in_flight = 512;  // MiB of all bodies, images and answers at hand
  bool access_log = false;

  int workers = 0;      // threads that parse, compute and encode; 0: one a core
  int threads = 0;      // of the CPU for a request that is alone; 0: one a core
  int max_batch = 8;    // images that are computed together
  double max_wait = 0;  // milliseconds that one waits for others
  int max_queue = 64;   // requests that wait
  double timeout = 60;  // seconds that one may wait

  std::optional<float> threshold{};  // none: the model's, or 0.5
  std::string default_accept{answer_types.front()};
};

}  // namespace plume::serve
