// Draws at most ten times a second.
#include "unet/commands/transfer_progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>

namespace plume::unet {

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array units{"bytes", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} {}", bytes, units[0]);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1000;
  return fmt::format("{:.3g} {}", value, units[unit]);
}

TransferProgress::TransferProgress(std::size_t files, std::uint64_t bytes)
    : terminal_(::isatty(STDERR_FILENO) != 0), files_(files), bytes_(bytes), begin_(std::chrono::steady_clock::now()) {}

TransferProgress::~TransferProgress() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

void TransferProgress::add(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_done_ += bytes;
  draw();
}

void TransferProgress::file_done() {
  const std::lock_guard lock(mutex_);
  ++files_done_;
  draw();
}

std::size_t TransferProgress::files_done() const {
  const std::lock_guard lock(mutex_);
  return files_done_;
}

void TransferProgress::draw() {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const std::chrono::duration<double> seconds = now - begin_;
  fmt::print(stderr, "\r{}/{} files, {} of {}, {}/s\033[K", files_done_, files_, bytes_text(bytes_done_),
             bytes_text(bytes_),
             bytes_text(static_cast<std::uint64_t>(static_cast<double>(bytes_done_) / seconds.count())));
}

}  // namespace plume::unet
