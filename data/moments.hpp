// Count, mean and sum of squared deviations of each band, in double, merged without loss.
// Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace plume::data {

class Moments {
 public:
  explicit Moments(int bands) : mean_(static_cast<std::size_t>(bands)), squares_(static_cast<std::size_t>(bands)) {}
  Moments(std::int64_t count, std::vector<double> mean, std::vector<double> squares)
      : count_(count), mean_(std::move(mean)), squares_(std::move(squares)) {}

  // pixels [count, bands]; those whose label equals `ignore` are left out.
  void add(std::span<const float> pixels, std::span<const std::uint8_t> labels, std::uint8_t ignore) {
    Moments other(static_cast<int>(mean_.size()));
    const auto bands = mean_.size();
    const auto each = [&](auto&& visit) {
      for (std::size_t pixel = 0; pixel < labels.size(); ++pixel) {
        if (labels[pixel] != ignore) visit(pixels.subspan(pixel * bands, bands));
      }
    };
    each([&](std::span<const float> values) {
      ++other.count_;
      for (std::size_t band = 0; band < bands; ++band) other.mean_[band] += static_cast<double>(values[band]);
    });
    if (other.count_ == 0) return;
    for (auto& mean : other.mean_) mean /= static_cast<double>(other.count_);
    each([&](std::span<const float> values) {
      for (std::size_t band = 0; band < bands; ++band) {
        const double deviation = static_cast<double>(values[band]) - other.mean_[band];
        other.squares_[band] += deviation * deviation;
      }
    });
    merge(other);
  }

  void merge(const Moments& other) {
    if (other.count_ == 0) return;
    const auto mine = static_cast<double>(count_);
    const auto theirs = static_cast<double>(other.count_);
    count_ += other.count_;
    for (std::size_t band = 0; band < mean_.size(); ++band) {
      const double gap = other.mean_[band] - mean_[band];
      mean_[band] += gap * theirs / (mine + theirs);
      squares_[band] += other.squares_[band] + gap * gap * mine * theirs / (mine + theirs);
    }
  }

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double mean(std::size_t band) const { return mean_[band]; }
  // The sum of squared deviations from the mean.
  [[nodiscard]] double squares(std::size_t band) const { return squares_[band]; }
  // Of the population (divided by the count).
  [[nodiscard]] double std(std::size_t band) const { return std::sqrt(squares_[band] / static_cast<double>(count_)); }

 private:
  std::int64_t count_ = 0;
  std::vector<double> mean_;
  std::vector<double> squares_;
};

}  // namespace plume::data
