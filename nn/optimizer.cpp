// Optimiser steps.
#include "nn/optimizer.hpp"

#include <cmath>
#include <variant>

#include "kernels/optimizer.hpp"

namespace plume::nn {
namespace {

template <class T>
T* as(Optimizer::State& state) {
  return reinterpret_cast<T*>(state.bytes.data());
}

}  // namespace

Optimizer::Optimizer(const OptimizerSettings& settings, const Parameters& parameters) : settings_(settings) {
  const std::vector<std::byte> zeros(parameters.flat_size() * size_of(parameters.dtype()));
  if (settings.kind == OptimizerSettings::Kind::adamw) {
    state_ = {{"first_moment", zeros}, {"second_moment", zeros}};
  } else {
    state_ = {{"velocity", zeros}};
  }
}

void Optimizer::step(Parameters& parameters, double rate, kernels::Stream& stream) {
  ++steps_;
  const auto count = static_cast<std::ptrdiff_t>(parameters.flat_size());
  const OptimizerSettings& s = settings_;
  std::visit(
      [&](auto& concrete) {
        with_type(parameters.dtype(), [&](auto element) {
          using T = decltype(element);
          const auto t = [](double value) { return static_cast<T>(value); };
          kernels::UpdateBuffers<T> buffers{parameters.values<T>(), parameters.gradients<T>(), as<T>(state_[0])};
          buffers.count = count;
          if (s.kind == OptimizerSettings::Kind::adamw) {
            const auto exponent = static_cast<double>(steps_);
            const kernels::UpdateConstants<T, kernels::AdamwBody<T>> constants{
                {t(rate), t(s.beta1), t(s.beta2), t(s.epsilon), t(rate * s.weight_decay),
                 t(1 - std::pow(s.beta1, exponent)), t(std::sqrt(1 - std::pow(s.beta2, exponent)))}};
            buffers.second = as<T>(state_[1]);
            kernels::adamw_step<T>(buffers, &constants, nullptr, concrete);
          } else {
            const kernels::UpdateConstants<T, kernels::SgdBody<T>> constants{
                {t(rate), t(s.momentum), t(s.weight_decay), s.nesterov}};
            kernels::sgd_step<T>(buffers, &constants, nullptr, concrete);
          }
        });
      },
      stream);
}

}  // namespace plume::nn
