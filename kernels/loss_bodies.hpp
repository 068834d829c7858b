// What losses that are means over pixels do at one pixel, written once for CPU and CUDA: the loss and its slopes by the
// logits, arithmetic in T.
//
// Of one channel a body has loss(z, y) and slope(z, y), with y 0 or 1. Of several it is made for one pixel from its
// Settings, the pixel's softmax and its label, and has loss(softmax) and slope(softmax, c). A softmax has classes(),
// logit(c), probability(c) and surprise(c) = -log(probability(c)).
#pragma once

#include <cmath>

#include "kernels/functors.hpp"
#include "kernels/loss.hpp"

namespace plume::kernels {

// log(1 + exp(z)) - y z, with y moved towards 1/2 by label smoothing.
template <class T>
struct BceBody {
  T span, low;  // the target of label 1 less that of label 0, and that of label 0

  explicit BceBody(double smoothing) : span(static_cast<T>(1 - smoothing)), low(static_cast<T>(smoothing / 2)) {}
  [[nodiscard]] PLUME_HD T loss(T z, T y) const { return SoftplusBody{}(z) - (y * span + low) * z; }
  [[nodiscard]] PLUME_HD T slope(T z, T y) const { return SigmoidBody{}(z) - (y * span + low); }
};

// (1 - p)^gamma * -log(p), p the probability of what is there.
template <class T>
struct BinaryFocalBody {
  T gamma;

  explicit BinaryFocalBody(double gamma_) : gamma(static_cast<T>(gamma_)) {}
  [[nodiscard]] PLUME_HD T loss(T z, T y) const {
    using std::pow;
    const T towards = y == T{1} ? z : -z;
    return pow(SigmoidBody{}(-towards), gamma) * SoftplusBody{}(-towards);
  }
  [[nodiscard]] PLUME_HD T slope(T z, T y) const {
    using std::pow;
    const T sign = y == T{1} ? T{1} : T{-1};
    const T missing = SigmoidBody{}(-sign * z);
    return -sign * pow(missing, gamma) * (gamma * SigmoidBody{}(sign * z) * SoftplusBody{}(-sign * z) + missing);
  }
};

// -log(probability), of the label and, by label smoothing, of every class.
template <class T>
class CrossEntropyBody {
 public:
  struct Settings {
    T smoothing;
  };

  template <class Softmax>
  PLUME_HD CrossEntropyBody(const Settings& settings, const Softmax& softmax, int label)
      : label_(label), hit_(T{1} - settings.smoothing), each_(settings.smoothing / static_cast<T>(softmax.classes())) {}

  template <class Softmax>
  [[nodiscard]] PLUME_HD T loss(const Softmax& softmax) const {
    T sum = hit_ * softmax.surprise(label_);
    if (each_ == T{0}) return sum;
    for (int c = 0; c < softmax.classes(); ++c) sum += each_ * softmax.surprise(c);
    return sum;
  }
  template <class Softmax>
  [[nodiscard]] PLUME_HD T slope(const Softmax& softmax, int c) const {
    return softmax.probability(c) - each_ - (c == label_ ? hit_ : T{0});
  }

 private:
  int label_;
  T hit_, each_;
};

// The focal loss of several classes.
template <class T>
class FocalBody {
 public:
  struct Settings {
    T gamma;
  };

  template <class Softmax>
  PLUME_HD FocalBody(const Settings& settings, const Softmax& softmax, int label) : label_(label), missing_(0) {
    using std::pow;
    for (int c = 0; c < softmax.classes(); ++c) missing_ += c == label ? T{0} : softmax.probability(c);
    const T surprise = softmax.surprise(label);
    const T damped = pow(missing_, settings.gamma);
    loss_ = damped * surprise;
    // The derivative by the probability, times minus the probability, over `missing`: finite in the limit, where
    // surprise is too.
    factor_ =
        missing_ > T{0} ? damped * (settings.gamma * softmax.probability(label) * surprise / missing_ + T{1}) : T{0};
  }

  template <class Softmax>
  [[nodiscard]] PLUME_HD T loss(const Softmax&) const {
    return loss_;
  }
  template <class Softmax>
  [[nodiscard]] PLUME_HD T slope(const Softmax& softmax, int c) const {
    return factor_ * (c == label_ ? -missing_ : softmax.probability(c));
  }

 private:
  int label_;
  T missing_;  // 1 - the label's probability, without cancellation
  T loss_, factor_;
};

// The mean over the borders between levels of -log(probability that the pixel lies on its label's side).
template <class T>
class OrdinalBody {
 public:
  struct Settings {};

  template <class Softmax>
  PLUME_HD OrdinalBody(const Settings&, const Softmax& softmax, int label)
      : borders_(softmax.classes() - 1), label_(label) {
    LogSum below, above;
    for (int border = 0; border < borders_; ++border) {
      below.add(softmax.logit(border));
      if (border >= label) side_[border] = below.value();
    }
    for (int border = borders_ - 1; border >= 0; --border) {
      above.add(softmax.logit(border + 1));
      if (border < label) side_[border] = above.value();
    }
    above.add(softmax.logit(0));
    all_ = above.value();
  }

  template <class Softmax>
  [[nodiscard]] PLUME_HD T loss(const Softmax&) const {
    T sum{0};
    for (int border = 0; border < borders_; ++border) sum += all_ - side_[border];
    return sum / static_cast<T>(borders_);
  }
  template <class Softmax>
  [[nodiscard]] PLUME_HD T slope(const Softmax& softmax, int c) const {
    using std::exp;
    T sum{0};
    for (int border = 0; border < borders_; ++border) {
      const bool on_side = border < label_ ? c > border : c <= border;
      if (on_side) sum += exp(softmax.logit(c) - side_[border]);
    }
    return softmax.probability(c) - sum / static_cast<T>(borders_);
  }

 private:
  // log(sum of exp), which is added to.
  class LogSum {
   public:
    PLUME_HD void add(T z) {
      using std::exp;
      if (sum_ == T{0} || z > largest_) {
        sum_ = sum_ == T{0} ? T{1} : sum_ * exp(largest_ - z) + T{1};
        largest_ = z;
      } else {
        sum_ += exp(z - largest_);
      }
    }
    [[nodiscard]] PLUME_HD T value() const {
      using std::log;
      return largest_ + log(sum_);
    }

   private:
    T largest_{0};
    T sum_{0};
  };

  int borders_, label_;
  T side_[most_ordinal_classes - 1];  // log of the sum of exp(logit) over the label's side of each border
  T all_;
};

}  // namespace plume::kernels
