// The Lovász extensions on the CPU: a sort of all pixels by error, for each class.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/cpu/loss/pixel.hpp"
#include "kernels/jaccard.hpp"

namespace plume::kernels {
namespace {

// A pixel that counts. Of equal errors the order changes no value, only which subgradient it is; by index it is always
// the same.
template <class T>
struct Error {
  T size;
  std::int32_t pixel;
  bool hit;
};

// What one class amounts to.
struct ClassLoss {
  double value = 0;
  bool present = false;
};

// errors in any order; slopes[pixel * step] becomes the extension's slope by that pixel's error, where that is above 0.
template <class T>
ClassLoss extend(Error<T>* errors, std::ptrdiff_t count, T* slopes, std::ptrdiff_t step) {
  std::sort(errors, errors + count,
            [](const auto& a, const auto& b) { return a.size != b.size ? a.size > b.size : a.pixel < b.pixel; });
  const auto all = std::count_if(errors, errors + count, [](const auto& error) { return error.hit; });
  ClassLoss loss{0, all > 0};
  std::ptrdiff_t hits = 0;
  double before = 0;
  for (std::ptrdiff_t i = 0; i < count && errors[i].size > T{0}; ++i) {
    hits += errors[i].hit ? 1 : 0;
    const double jaccard = jaccard_loss(all, hits, i + 1);
    loss.value += static_cast<double>(errors[i].size) * (jaccard - before);
    slopes[errors[i].pixel * step] = static_cast<T>(jaccard - before);
    before = jaccard;
  }
  return loss;
}

}  // namespace

template <class T>
void lovasz(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream) {
  const std::ptrdiff_t pixels = logits.pixels();
  const int classes = logits.c;
  const bool binary = classes == 1;
  auto* slopes = stream.shared(CpuStream::statistics).take<T>(static_cast<std::size_t>(pixels * classes));
  std::fill_n(slopes, pixels * classes, T{0});
  std::vector<ClassLoss> losses(static_cast<std::size_t>(classes));
  parallel_tasks(stream, classes, [&](std::ptrdiff_t c, int thread) {
    auto* errors = stream.local(thread).take<Error<T>>(static_cast<std::size_t>(pixels));
    std::ptrdiff_t count = 0;
    for (std::ptrdiff_t p = 0; p < pixels; ++p) {
      if (weight_of(targets, p) == T{0}) continue;
      const bool hit = targets.labels[p] == (binary ? 1 : c);
      const T* z = logits.data + p * logits.stride;
      T size{0};
      if (binary) {
        size = T{1} - (hit ? z[0] : -z[0]);
      } else {
        const T probability = PixelSoftmax<T>(z, classes).probability(static_cast<int>(c));
        size = hit ? T{1} - probability : probability;
      }
      if (std::isnan(size)) size = std::numeric_limits<T>::infinity();  // it has a place, and the value is no number
      errors[count++] = {size, static_cast<std::int32_t>(p), hit};
    }
    losses[static_cast<std::size_t>(c)] = extend(errors, count, slopes + c, classes);
  });

  double value = 0;
  int present = 0;
  for (const ClassLoss& loss : losses) {
    if (!binary && !loss.present) continue;
    value += loss.value;
    ++present;
  }
  put_value(output, present == 0 ? 0 : value / present);
  if (!output.grad.data) return;
  const T factor = present == 0 ? T{0} : static_cast<T>(output.weight * output.scale / present);
  parallel_for(stream, pixels, [&](std::ptrdiff_t p) {
    const T* slope = slopes + p * classes;
    if (binary) return put(output, p, 0, targets.labels[p] == 1 ? -factor * slope[0] : factor * slope[0]);
    const PixelSoftmax<T> softmax(logits.data + p * logits.stride, classes);
    // By the probabilities: where a class is there, its error falls with them.
    const auto by_probability = [&](int c) {
      if (!losses[static_cast<std::size_t>(c)].present) return T{0};
      return targets.labels[p] == c ? -slope[c] : slope[c];
    };
    T dot{0};
    for (int c = 0; c < classes; ++c) dot += by_probability(c) * softmax.probability(c);
    for (int c = 0; c < classes; ++c) put(output, p, c, factor * softmax.probability(c) * (by_probability(c) - dot));
  });
}

template void lovasz(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CpuStream&);
template void lovasz(const LossOutput<double>&, Image<const double>, PixelTargets<double>, CpuStream&);

}  // namespace plume::kernels
