// Losses on the CPU.
#include "kernels/loss.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/pixel_sums.hpp"
#include "kernels/functors.hpp"

namespace plume::kernels {
namespace {

template <class T>
T weight_of(const PixelTargets<T>& targets, std::ptrdiff_t pixel) {
  if (targets.labels[pixel] == ignore_label) return T{0};
  return targets.weights ? targets.weights[pixel] : T{1};
}

template <class T>
void put(const LossOutput<T>& output, std::ptrdiff_t pixel, int channel, T value) {
  T& to = output.grad.data[pixel * output.grad.stride + channel];
  to = output.add_grad ? to + value : value;
}

template <class T>
void put_value(const LossOutput<T>& output, double loss) {
  *output.value = output.weight * loss + (output.add_value ? *output.value : 0);
}

// Softmax of one pixel into `probability`; its logarithm of the normaliser, max + log sum exp, comes back.
template <class T>
T softmax_pixel(T* probability, const T* logits, int classes) {
  const T largest = *std::max_element(logits, logits + classes);
  T sum{0};
  for (int c = 0; c < classes; ++c) sum += probability[c] = std::exp(logits[c] - largest);
  for (int c = 0; c < classes; ++c) probability[c] /= sum;
  return largest + std::log(sum);
}

// The mean by weight of loss(pixel), and then slope(pixel, factor) for every pixel, with factor the gradient's scale
// times w / sum w.
template <class T, class Loss, class Slope>
void weighted_mean(const LossOutput<T>& output, std::ptrdiff_t pixels, const PixelTargets<T>& targets,
                   CpuStream& stream, const Loss& loss, const Slope& slope) {
  const auto totals =
      pixel_runs<T>(pixels, 2, stream, [&](T*, double* total, std::ptrdiff_t first, std::ptrdiff_t count) {
        for (std::ptrdiff_t p = first; p < first + count; ++p) {
          const T weight = weight_of(targets, p);
          if (weight == T{0}) continue;
          total[0] += static_cast<double>(weight * loss(p));
          total[1] += static_cast<double>(weight);
        }
      });
  const bool any = totals[1] > 0;
  if (output.grad.data) {
    const double factor = any ? output.weight * output.scale / totals[1] : 0;
    parallel_for(stream, pixels, [&](std::ptrdiff_t p) {
      slope(p, static_cast<T>(factor * static_cast<double>(weight_of(targets, p))));
    });
  }
  put_value(output, any ? totals[0] / totals[1] : 0);
}

// The sums that Dice is made of, per class.
struct Overlap {
  double intersection;
  double total;  // of probabilities and of labels
};

// probability(p, out) fills a pixel's `classes` probabilities; class c of a pixel is hit(label, c).
template <class T, class Probability, class Hit>
std::vector<Overlap> overlaps(std::ptrdiff_t pixels, int classes, const PixelTargets<T>& targets, CpuStream& stream,
                              const Probability& probability, const Hit& hit) {
  const auto totals = pixel_runs<T>(pixels, std::ptrdiff_t{2} * classes, stream,
                                    [&](T* values, double* total, std::ptrdiff_t first, std::ptrdiff_t count) {
                                      for (std::ptrdiff_t p = first; p < first + count; ++p) {
                                        const auto weight = static_cast<double>(weight_of(targets, p));
                                        if (weight == 0) continue;
                                        probability(p, values);
                                        for (int c = 0; c < classes; ++c) {
                                          const double y = hit(targets.labels[p], c) ? 1 : 0;
                                          total[2 * c] += weight * static_cast<double>(values[c]) * y;
                                          total[2 * c + 1] += weight * (static_cast<double>(values[c]) + y);
                                        }
                                      }
                                    });
  std::vector<Overlap> result;
  for (std::size_t c = 0; c < totals.size(); c += 2) result.push_back({totals[c], totals[c + 1]});
  return result;
}

}  // namespace

template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream) {
  const auto at = [&](std::ptrdiff_t p) { return logits.data[p * logits.stride]; };
  const auto target = [&](std::ptrdiff_t p) { return targets.labels[p] == 1 ? T{1} : T{0}; };
  weighted_mean(
      output, logits.pixels(), targets, stream,
      [&](std::ptrdiff_t p) { return SoftplusBody{}(at(p)) - target(p) * at(p); },
      [&](std::ptrdiff_t p, T factor) { put(output, p, 0, factor * (SigmoidBody{}(at(p)) - target(p))); });
}

template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           CpuStream& stream) {
  const int classes = logits.c;
  weighted_mean(
      output, logits.pixels(), targets, stream,
      [&](std::ptrdiff_t p) {
        T probability[256];
        const T* z = logits.data + p * logits.stride;
        return softmax_pixel(probability, z, classes) - z[targets.labels[p]];
      },
      [&](std::ptrdiff_t p, T factor) {
        T probability[256];
        softmax_pixel(probability, logits.data + p * logits.stride, classes);
        for (int c = 0; c < classes; ++c) {
          put(output, p, c, factor * (probability[c] - (targets.labels[p] == c ? T{1} : T{0})));
        }
      });
}

template <class T>
void dice(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth,
          CpuStream& stream) {
  const int classes = logits.c;
  const auto probability = [&](std::ptrdiff_t p, T* values) {
    const T* z = logits.data + p * logits.stride;
    if (classes == 1) {
      values[0] = SigmoidBody{}(z[0]);
    } else {
      softmax_pixel(values, z, classes);
    }
  };
  const auto hit = [&](std::uint8_t label, int c) { return label == (classes == 1 ? 1 : c); };
  const auto sums = overlaps<T>(logits.pixels(), classes, targets, stream, probability, hit);

  double loss = 0;
  for (const Overlap& sum : sums) {
    const double whole = sum.total + smooth;
    loss += whole > 0 ? 1 - (2 * sum.intersection + smooth) / whole : 0;
  }
  if (output.grad.data) {
    parallel_for(stream, logits.pixels(), [&](std::ptrdiff_t p) {
      T values[256];
      T slopes[256];
      probability(p, values);
      const double factor = output.weight * output.scale * static_cast<double>(weight_of(targets, p)) / classes;
      T dot{0};
      for (int c = 0; c < classes; ++c) {
        const Overlap& sum = sums[static_cast<std::size_t>(c)];
        const double whole = sum.total + smooth;
        const double y = hit(targets.labels[p], c) ? 1 : 0;
        const double slope = (2 * sum.intersection + smooth) / (whole * whole) - 2 * y / whole;
        slopes[c] = factor == 0 ? T{0} : static_cast<T>(factor * slope);  // 0 / 0 where nothing counts
        dot += slopes[c] * values[c];
      }
      for (int c = 0; c < classes; ++c) {
        put(output, p, c, classes == 1 ? slopes[c] * values[c] * (T{1} - values[c]) : values[c] * (slopes[c] - dot));
      }
    });
  }
  put_value(output, loss / classes);
}

template void bce_with_logits(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CpuStream&);
template void bce_with_logits(const LossOutput<double>&, Image<const double>, PixelTargets<double>, CpuStream&);
template void softmax_cross_entropy(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CpuStream&);
template void softmax_cross_entropy(const LossOutput<double>&, Image<const double>, PixelTargets<double>, CpuStream&);
template void dice(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CpuStream&);
template void dice(const LossOutput<double>&, Image<const double>, PixelTargets<double>, double, CpuStream&);

}  // namespace plume::kernels
