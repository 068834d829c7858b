// Small exchanges of host memory.
#include "unet/ranks.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dist/collectives.hpp"
#include "dist/launcher.hpp"
#include "dist/own_gpu.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/fnv1a.hpp"
#include "kernels/stream.hpp"

namespace plume::unet {
namespace {

template <class T>
void broadcast(dist::Communicator& communicator, std::vector<T>& values) {
  communicator.broadcast(values.data(), values.size() * sizeof(T));
}

std::uint64_t hash_of(const nn::Parameters& parameters) {
  std::uint64_t hash = fnv1a("");
  for (const nn::ParameterInfo& info : parameters.all()) {
    const nn::NamedTensor tensor = parameters.to_named(info);
    hash = fnv1a({reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float)}, hash);
  }
  return hash;
}

}  // namespace

Ranks::Ranks(dist::Communicator* communicator)
    : alone_(communicator == nullptr ? dist::single() : nullptr),
      communicator_(communicator == nullptr ? alone_.get() : communicator) {}

void Ranks::enter(dist::Phase phase) const {
  if (dist::Pulse* pulse = communicator_->pulse()) pulse->enter(phase);
}

void Ranks::done(std::int64_t steps) const {
  if (dist::Pulse* pulse = communicator_->pulse()) pulse->step.store(steps);
}

Ranks::Step Ranks::agree(const Step& own) const {
  if (size() == 1) return own;
  std::array<double, 4> values{own.loss, static_cast<double>(own.images), own.stop ? 1.0 : 0.0, own.finite ? 0.0 : 1.0};
  dist::sum(*communicator_, values);
  return {values[0], static_cast<std::int64_t>(values[1]), values[2] > 0, values[3] == 0};
}

Evaluation Ranks::together(Evaluation own, std::size_t tiles) const {
  if (size() == 1 || tiles == 0) return own;
  static_assert(sizeof(Confusion) == 4 * sizeof(std::int64_t));
  const std::size_t classes = own.classes();
  std::vector<Confusion> all(tiles * classes);  // each rank fills in its tiles
  for (std::size_t i = 0; i < own.images.size(); ++i) {
    const std::size_t tile = static_cast<std::size_t>(rank()) + i * static_cast<std::size_t>(size());
    std::copy(own.images[i].begin(), own.images[i].end(), all.begin() + static_cast<std::ptrdiff_t>(tile * classes));
  }
  dist::sum(*communicator_, {&all.front().true_positive, 4 * all.size()});
  Evaluation result(tiles, static_cast<int>(classes));
  for (std::size_t i = 0; i < all.size(); ++i) result.images[i / classes][i % classes] = all[i];
  result.foreground = std::move(own.foreground);
  for (const auto counts : result.foreground.counts()) dist::sum(*communicator_, counts);
  return result;
}

void Ranks::share(Network& network, nn::Optimizer& optimizer, Progress& progress) const {
  if (size() == 1) return;
  nn::Parameters& parameters = network.parameters();
  for (const nn::ParameterInfo& info : parameters.all()) {
    nn::NamedTensor tensor = parameters.to_named(info);
    broadcast(*communicator_, tensor.values);
    if (!leads()) parameters.from_named(info, tensor);
  }
  auto states = optimizer.state();
  for (auto& state : states) broadcast(*communicator_, state.bytes);
  if (!leads()) optimizer.set_state(states);
  std::string text = progress_text(progress, optimizer.steps());
  dist::broadcast(*communicator_, text);
  if (leads()) return;
  const auto [read, steps] = progress_from_text(text);
  progress = read;
  optimizer.set_steps(steps);
}

std::vector<SavedPiece> Ranks::collect(const SavedPiece& own) const {
  std::vector<SavedPiece> all(static_cast<std::size_t>(size()), own);
  for (int rank = 0; rank < size(); ++rank) {
    SavedPiece& piece = all[static_cast<std::size_t>(rank)];
    dist::broadcast(*communicator_, piece.file, rank);
    dist::broadcast(*communicator_, piece.checksum, rank);
  }
  return all;
}

void Ranks::wait() const {
  dist::barrier(*communicator_);
}

std::vector<int> Ranks::with_other_weights(const nn::Parameters& parameters) const {
  const std::vector<std::uint64_t> hashes = dist::gathered(*communicator_, hash_of(parameters));
  std::vector<int> others;
  for (int rank = 1; rank < size(); ++rank)
    if (hashes[static_cast<std::size_t>(rank)] != hashes.front()) others.push_back(rank);
  return others;
}

void Ranks::require_same_weights(const nn::Parameters& parameters) const {
  if (size() == 1) return;
  if (const auto others = with_other_weights(parameters); !others.empty())
    throw environment_error(
        "the weights of rank {} are no longer those of rank 0: a machine computes wrongly, or they "
        "differ in kind; `plume doctor` on each tells",
        fmt::join(others, ", "));
}

int Ranks::gpu(const DeviceSettings& settings) const {
  if (size() == 1 || settings.kind == DeviceKind::cpu) return 0;
  return std::max(dist::own_gpu(*communicator_, kernels::cuda_device_count()), 0);
}

std::string Ranks::table(const std::string& device, const std::string& route) const {
  if (size() == 1) return {};
  struct Row {
    int local_rank = 0;
    std::array<char, 48> host{};
    std::array<char, 76> device{};
  };
  Row row{communicator_->local_rank()};
  std::strncpy(row.host.data(), dist::host_name().c_str(), row.host.size() - 1);
  std::strncpy(row.device.data(), device.c_str(), row.device.size() - 1);
  const auto rows = dist::gathered(*communicator_, row);
  std::string text = fmt::format("{:>5}  {:<16} {:>5}  {}\n", "rank", "host", "local", "device");
  for (int rank = 0; rank < size(); ++rank) {
    const Row& other = rows[static_cast<std::size_t>(rank)];
    text += fmt::format("{:>5}  {:<16} {:>5}  {}\n", rank, other.host.data(), other.local_rank, other.device.data());
  }
  return text + fmt::format("gradients: {}\n", route);
}

std::vector<int> share_of(std::span<const int> tiles, int rank, int size) {
  std::vector<int> share;
  for (std::size_t i = static_cast<std::size_t>(rank); i < tiles.size(); i += static_cast<std::size_t>(size))
    share.push_back(tiles[i]);
  return share;
}

}  // namespace plume::unet
