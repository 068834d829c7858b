// Scalars and pictures for TensorBoard: records of TFRecord's framing (tensorflow/core/lib/io/record_writer.h) that hold
// the messages of tensorflow/core/util/event.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

namespace plume::unet {

class EventFile {
 public:
  // A new file events.out.tfevents.SECONDS.HOST.PROCESS in the folder, which may have some of earlier starts; what they
  // have from `first_step` on TensorBoard then leaves out. Throws environment_error where it cannot be written.
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);

  // Tags "loss/train" and "loss/val" stand in one group. Throw environment_error where the disk is full.
  void scalar(std::int64_t step, std::string_view tag, double value);
  void image(std::int64_t step, std::string_view tag, int height, int width, std::span<const std::byte> png);

 private:
  void write(std::string_view event);

  std::ofstream file_;
};

}  // namespace plume::unet
