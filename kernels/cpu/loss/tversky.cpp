// Tversky's loss on the CPU, which Dice is a case of.
#include "kernels/tversky.hpp"

#include <vector>

#include "kernels/cpu/loss/pixel.hpp"
#include "kernels/functors.hpp"

namespace plume::kernels {
namespace {

// Sigmoid for one channel, softmax for more.
template <class T>
void probabilities(T* values, const T* logits, int classes) {
  if (classes == 1) {
    values[0] = SigmoidBody{}(logits[0]);
    return;
  }
  const PixelSoftmax<T> softmax(logits, classes);
  for (int c = 0; c < classes; ++c) values[c] = softmax.probability(c);
}

// How much a pixel is of a class.
template <class T>
double truth_of(const PixelTargets<T>& targets, std::ptrdiff_t pixel, int c, int classes) {
  if (classes == 1) return static_cast<double>(kernels::truth_of(targets, pixel));
  return targets.labels[pixel] == c ? 1 : 0;
}

// The sums that the loss is made of, per class.
template <class T>
std::vector<TverskySums> sums_of(Image<const T> logits, const PixelTargets<T>& targets, const TverskySettings& settings,
                                 CpuStream& stream) {
  const int classes = logits.c;
  const auto totals = pixel_runs<T>(logits.pixels(), std::ptrdiff_t{2} * classes, stream,
                                    [&](T* values, double* total, std::ptrdiff_t first, std::ptrdiff_t count) {
                                      for (std::ptrdiff_t p = first; p < first + count; ++p) {
                                        const auto weight = static_cast<double>(weight_of(targets, p));
                                        if (weight == 0) continue;
                                        probabilities(values, logits.data + p * logits.stride, classes);
                                        for (int c = 0; c < classes; ++c) {
                                          const double y = truth_of(targets, p, c, classes);
                                          const auto probability = static_cast<double>(values[c]);
                                          total[2 * c] += weight * probability * y;
                                          total[2 * c + 1] +=
                                              weight * (settings.alpha * probability + settings.beta * y);
                                        }
                                      }
                                    });
  std::vector<TverskySums> sums;
  for (std::size_t c = 0; c < totals.size(); c += 2) sums.push_back({totals[c], totals[c + 1]});
  return sums;
}

}  // namespace

template <class T>
void tversky(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
             const TverskySettings& settings, CpuStream& stream) {
  const int classes = logits.c;
  double loss = 0;
  std::vector<TverskySlope> by_class;
  for (const TverskySums& sums : sums_of(logits, targets, settings, stream)) {
    loss += sums.loss(settings);
    by_class.push_back(sums.slope(settings, output.weight * output.scale / classes));
  }
  put_value(output, loss / classes);
  if (!output.grad.data) return;
  parallel_for(stream, logits.pixels(), [&](std::ptrdiff_t p) {
    T values[256];
    T slopes[256];
    probabilities(values, logits.data + p * logits.stride, classes);
    const auto weight = static_cast<double>(weight_of(targets, p));
    T dot{0};
    for (int c = 0; c < classes; ++c) {
      const TverskySlope& slope = by_class[static_cast<std::size_t>(c)];
      slopes[c] = static_cast<T>(weight * (slope.miss + truth_of(targets, p, c, classes) * (slope.hit - slope.miss)));
      dot += slopes[c] * values[c];
    }
    for (int c = 0; c < classes; ++c) {
      put(output, p, c, classes == 1 ? slopes[c] * values[c] * (T{1} - values[c]) : values[c] * (slopes[c] - dot));
    }
  });
}

template void tversky(const LossOutput<float>&, Image<const float>, PixelTargets<float>, const TverskySettings&,
                      CpuStream&);
template void tversky(const LossOutput<double>&, Image<const double>, PixelTargets<double>, const TverskySettings&,
                      CpuStream&);

}  // namespace plume::kernels
