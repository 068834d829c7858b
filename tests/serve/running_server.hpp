// The program `plume-infer serve`, started as a user would, and the models that tests have it serve.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../scratch_folder.hpp"
#include "../unet/program.hpp"
#include "client.hpp"
#include "unet/inference/network.hpp"

namespace plume::tests {

class RunningServer {
 public:
  // Runs `plume-infer serve` with more arguments, on a free port unless they name one. Fails the test where it does not say that it serves.
  explicit RunningServer(std::vector<std::string> arguments, const Surroundings& surroundings = {});

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string errors() const { return read_file(error_file_); }
  void signal(int number) const { command_.signal(number); }
  // The exit code; none where it has not ended after so many seconds.
  [[nodiscard]] std::optional<int> wait_for(double seconds) { return command_.wait_for(seconds); }

  // A metric without labels, or with them: name{code="200"}. 0 where it is not there.
  [[nodiscard]] double metric(const std::string& name) const;

 private:
  ScratchFolder folder_;
  std::filesystem::path error_file_ = folder_ / "errors";
  RunningCommand command_;
  int port_ = 0;
};

// The command with arguments, as the shell would take it.
[[nodiscard]] std::vector<std::string> plume_infer(std::vector<std::string> arguments);

// A small network that looks trained: three bands, two levels, one class or several. Saved under the path.
[[nodiscard]] unet::Network save_small_model(const std::filesystem::path& path, int classes = 1);

// What a user of the library gets for pixels [images, height, width, bands].
[[nodiscard]] std::vector<float> predicted(const unet::Network& network, const std::vector<float>& pixels, int images,
                                           int height, int width);

// Pixels between 0 and 255.
[[nodiscard]] std::vector<float> drawn_pixels(std::size_t count);

// Bodies of requests.
[[nodiscard]] std::string raw_body(const std::vector<float>& pixels);
[[nodiscard]] std::string json_body(const std::vector<float>& pixels, int images, int height, int width);
[[nodiscard]] std::vector<float> floats_of(std::string_view bytes);
// "Content-Type: application/octet-stream" with its shape.
[[nodiscard]] std::string raw_headers(int images, int height, int width, int bands = 3);

}  // namespace plume::tests
