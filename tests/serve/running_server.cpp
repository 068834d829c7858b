// Starting the server, asking it for a metric, and making models for it.
#include "running_server.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "../random_values.hpp"
#include "../unet/trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/predict.hpp"

namespace plume::tests {
namespace {

constexpr int bands = 3;

std::vector<std::string> serve_with(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "serve");
  if (std::find(arguments.begin(), arguments.end(), "--port") == arguments.end()) {
    arguments.insert(arguments.end(), {"--port", "0"});
  }
  return plume_infer(std::move(arguments));
}

}  // namespace

std::vector<std::string> plume_infer(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PLUME_INFER_PROGRAM);
  return arguments;
}

RunningServer::RunningServer(std::vector<std::string> arguments, const Surroundings& surroundings)
    : command_(serve_with(std::move(arguments)), error_file_, surroundings) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const std::string_view told = "http://127.0.0.1:";
  while (std::chrono::steady_clock::now() < end) {
    const std::string text = errors();
    const auto at = text.find(told);
    if (at != std::string::npos && text.find('\n', at) != std::string::npos) {
      port_ = std::atoi(text.c_str() + at + told.size());
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ADD_FAILURE() << "the server did not start: " << errors();
}

double RunningServer::metric(const std::string& name) const {
  const auto answer = ask(port_, "GET", "/metrics");
  if (!answer) return -1;
  const auto at = answer->body.find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::atof(answer->body.c_str() + at + name.size() + 2);
}

unet::Network save_small_model(const std::filesystem::path& path, int classes) {
  unet::ModelSettings settings;
  settings.bands = bands;
  settings.base = 4;
  settings.depth = 2;
  settings.classes = classes;
  unet::Network network = trained_network(unet::build_graph(settings));
  unet::save_model(path, network, {}, "");
  return network;
}

std::vector<float> predicted(const unet::Network& network, const std::vector<float>& pixels, int images, int height,
                             int width) {
  const unet::Network folded = unet::fold_norms(network);
  return unet::Predictor(folded).probabilities(pixels.data(), images, height, width);
}

std::vector<float> drawn_pixels(std::size_t count) {
  std::vector<float> pixels;
  for (const double value : random_values(count, 7)) pixels.push_back(static_cast<float>(127.5 + 100 * value));
  return pixels;
}

std::string raw_body(const std::vector<float>& pixels) {
  return {reinterpret_cast<const char*>(pixels.data()), pixels.size() * sizeof(float)};
}

std::string json_body(const std::vector<float>& pixels, int images, int height, int width) {
  std::string text = "[";
  const float* next = pixels.data();
  for (int n = 0; n < images; ++n) {
    text += n == 0 ? "[" : ",[";
    for (int y = 0; y < height; ++y) {
      text += y == 0 ? "[" : ",[";
      for (int x = 0; x < width; ++x, next += bands) {
        text += fmt::format("{}[{},{},{}]", x == 0 ? "" : ",", next[0], next[1], next[2]);
      }
      text += "]";
    }
    text += "]";
  }
  return text + "]";
}

std::vector<float> floats_of(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

std::string raw_headers(int images, int height, int width, int bands_of_image) {
  return fmt::format("Content-Type: application/octet-stream\r\nX-Plume-Shape: {},{},{},{}\r\n", images, height, width,
                     bands_of_image);
}

}  // namespace plume::tests
