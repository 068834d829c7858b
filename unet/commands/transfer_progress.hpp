// How far a transfer has come, on a terminal's last line.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace plume::unet {

// "1.4 GB"; of decimal units, as disks and networks have them.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// Thread-safe. Where standard error is no terminal it only counts.
class TransferProgress {
 public:
  TransferProgress(std::size_t files, std::uint64_t bytes);
  ~TransferProgress();  // leaves the line empty
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  void add(std::uint64_t bytes);
  void file_done();
  [[nodiscard]] std::size_t files_done() const;

 private:
  void draw();

  mutable std::mutex mutex_;
  const bool terminal_;
  const std::size_t files_;
  const std::uint64_t bytes_;
  const std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::time_point drawn_;
  std::size_t files_done_ = 0;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace plume::unet
