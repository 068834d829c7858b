// Elementwise bodies, written once for CPU and CUDA: arithmetic in T, one value at a time.
#pragma once

#include <cmath>
#include <limits>

#include "kernels/base/host_device.hpp"

namespace plume::kernels {

// A NaN stays one, so that a network that diverged does not look healthy.
struct ReluBody {
  template <class T>
  PLUME_HD T operator()(T x) const {
    return x < T{0} ? T{0} : x;
  }
};

// The gradient goes where the output is above zero.
struct ReluGradientBody {
  template <class T>
  PLUME_HD T operator()(T gradient, T output) const {
    return output > T{0} ? gradient : T{0};
  }
};

struct SigmoidGradientBody {
  template <class T>
  PLUME_HD T operator()(T gradient, T output) const {
    return gradient * output * (T{1} - output);
  }
};

struct SigmoidBody {
  template <class T>
  PLUME_HD T operator()(T x) const {
    using std::exp;
    const T e = exp(x < T{0} ? x : -x);  // never overflows
    return x < T{0} ? e / (T{1} + e) : T{1} / (T{1} + e);
  }
};

// log(1 + exp(x)) without overflow or cancellation.
struct SoftplusBody {
  template <class T>
  PLUME_HD T operator()(T x) const {
    using std::exp;
    using std::log1p;
    return (x > T{0} ? x : T{0}) + log1p(exp(x < T{0} ? x : -x));
  }
};

// AdamW for one parameter. Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
template <class T>
struct AdamwBody {
  T rate, beta1, beta2, epsilon, decay;  // decay already times the rate
  T correction1, correction2_root;       // 1 - beta1^t, sqrt(1 - beta2^t)
  PLUME_HD void operator()(T& parameter, T gradient, T& first, T& second) const {
    using std::sqrt;
    parameter -= decay * parameter;
    first += (gradient - first) * (T{1} - beta1);
    second = beta2 * second + (T{1} - beta2) * gradient * gradient;
    parameter -= rate / correction1 * first / (sqrt(second) / correction2_root + epsilon);
  }
};

// SGD with momentum and L2 decay, Nesterov's form where asked; Source: Sutskever et al., ICML 2013, as in PyTorch.
template <class T>
struct SgdBody {
  T rate, momentum, decay;
  bool nesterov;
  PLUME_HD void operator()(T& parameter, T gradient, T& velocity) const {
    gradient += decay * parameter;
    velocity = momentum * velocity + gradient;
    parameter -= rate * (nesterov ? gradient + momentum * velocity : velocity);
  }
};

// LAMB's direction for one parameter, in place of its gradient. Source: You et al., "Large batch optimization for deep
// learning: training BERT in 76 minutes", ICLR 2020, algorithm 2.
template <class T>
struct LambBody {
  T beta1, beta2, epsilon, decay;
  T correction1, correction2_root;  // 1 - beta1^t, sqrt(1 - beta2^t)
  PLUME_HD void operator()(T& gradient, T parameter, T& first, T& second) const {
    using std::sqrt;
    first += (gradient - first) * (T{1} - beta1);
    second = beta2 * second + (T{1} - beta2) * gradient * gradient;
    gradient = first / correction1 / (sqrt(second) / correction2_root + epsilon) + decay * parameter;
  }
};

// A layer's gradients in proportion to its weights, with L2 decay: gradient = trust * (gradient + decay * parameter), where
// trust = coefficient |parameters| / (|gradients| + decay |parameters|), or 1 where that is not above 0 or coefficient is 0.
// Source: You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1.
template <class T>
struct TrustBody {
  T coefficient, decay;
  // squared: the norms of the parameters and, after them, of the gradients as they are before `scale`.
  [[nodiscard]] PLUME_HD T trust(const double* squared, T scale) const {
    using std::sqrt;
    const double weights = sqrt(squared[0]);
    const double below = static_cast<double>(scale) * sqrt(squared[1]) + static_cast<double>(decay) * weights;
    return coefficient > 0 && weights > 0 && below > 0
               ? static_cast<T>(static_cast<double>(coefficient) * weights / below)
               : T{1};
  }
  PLUME_HD T operator()(T gradient, T parameter, T trust) const { return trust * (gradient + decay * parameter); }
};

// By how much gradients shrink so that their norm over all parameters is at most `clip`.
// Source: Pascanu, Mikolov and Bengio, ICML 2013; the small constant as in PyTorch.
template <class T>
PLUME_HD T clip_scale(T clip, const double* squared_norm) {
  using std::sqrt;
  if (!(clip <= std::numeric_limits<T>::max())) return T{1};
  const double scale = static_cast<double>(clip) / (sqrt(*squared_norm) + 1e-6);
  return scale < 1 ? static_cast<T>(scale) : T{1};
}

}  // namespace plume::kernels
