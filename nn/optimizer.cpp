// Optimiser steps.
#include "nn/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <variant>

#include "kernels/optimizer.hpp"
#include "kernels/profile.hpp"
#include "nn/context.hpp"

namespace plume::nn {
namespace {

template <class T>
using AdamwConstants = kernels::UpdateConstants<T, kernels::AdamwBody<T>>;
template <class T>
using SgdConstants = kernels::UpdateConstants<T, kernels::SgdBody<T>>;

// What LAMB and LARS read, for matrices and for vectors.
template <class T>
struct LayerConstants {
  kernels::UpdateConstants<T, kernels::LambBody<T>> direction[2];
  kernels::UpdateConstants<T, kernels::TrustBody<T>> trust[2];
  kernels::UpdateConstants<T, kernels::SgdBody<T>> step;
};
enum LayerKind : std::size_t { matrix, vector };

template <class T>
LayerConstants<T> layer_constants(const OptimizerSettings& s, double rate, std::int64_t step) {
  const auto t = [](double value) { return static_cast<T>(value); };
  const auto exponent = static_cast<double>(step);
  const bool lamb = s.kind == OptimizerSettings::Kind::lamb;
  LayerConstants<T> constants{};
  for (const LayerKind kind : {matrix, vector}) {
    const double decay = kind == matrix ? s.weight_decay : 0;
    constants.direction[kind].body = {t(s.beta1),
                                      t(s.beta2),
                                      t(s.epsilon),
                                      t(decay),
                                      t(1 - std::pow(s.beta1, exponent)),
                                      t(std::sqrt(1 - std::pow(s.beta2, exponent)))};
    constants.trust[kind].body = {t(kind == vector ? 0 : lamb ? 1 : s.trust), t(lamb ? 0 : decay)};
    auto& clipped = lamb ? constants.direction[kind].clip : constants.trust[kind].clip;
    if (s.clip_norm > 0) clipped = t(s.clip_norm);
  }
  constants.step.body = {t(rate), t(lamb ? 0 : s.momentum), T{0}, !lamb && s.nesterov};
  return constants;
}

bool is_layerwise(const OptimizerSettings& settings) {
  return settings.kind == OptimizerSettings::Kind::lamb || settings.kind == OptimizerSettings::Kind::lars;
}

template <class T>
AdamwConstants<T> adamw_constants(const OptimizerSettings& s, double rate, std::int64_t step) {
  const auto t = [](double value) { return static_cast<T>(value); };
  const auto exponent = static_cast<double>(step);
  return {{t(rate), t(s.beta1), t(s.beta2), t(s.epsilon), t(rate * s.weight_decay), t(1 - std::pow(s.beta1, exponent)),
           t(std::sqrt(1 - std::pow(s.beta2, exponent)))}};
}

template <class T>
SgdConstants<T> sgd_constants(const OptimizerSettings& s, double rate) {
  const auto t = [](double value) { return static_cast<T>(value); };
  return {{t(rate), t(s.momentum), t(s.weight_decay), s.nesterov}};
}

// Parameters are f32 on CUDA, f32 or f64 on the CPU: with_element would ask for bf16 too.
template <class Body>
void with_parameters(DType type, kernels::CpuStream& stream, const Body& body) {
  with_type(type, [&](auto element) { body(stream, element); });
}
template <class Body>
void with_parameters(DType, kernels::CudaStream& stream, const Body& body) {
  body(stream, float{});
}

}  // namespace

Optimizer::Optimizer(const OptimizerSettings& settings, const Parameters& parameters)
    : settings_(settings),
      dtype_(parameters.dtype()),
      constants_(parameters.stream(), std::max(sizeof(AdamwConstants<double>), sizeof(LayerConstants<double>)),
                 "the optimiser's constants"),
      squared_(parameters.stream(), sizeof(double), "the gradients' norm") {
  static_assert(sizeof(AdamwConstants<double>) >= sizeof(SgdConstants<double>));
  const std::size_t bytes = parameters.flat_size() * size_of(dtype_);
  const auto add = [&](const char* name) { state_.push_back({name, Buffer(parameters.stream(), bytes, name)}); };
  if (settings.kind == OptimizerSettings::Kind::adamw || settings.kind == OptimizerSettings::Kind::lamb) {
    add("first_moment");
    add("second_moment");
  } else {
    add("velocity");
  }
  if (!is_layerwise(settings)) return;
  for (const ParameterInfo& info : parameters.all()) {
    if (info.kind == ParameterKind::statistic) continue;
    layers_.push_back({static_cast<std::ptrdiff_t>(info.offset), static_cast<std::ptrdiff_t>(info.shape.count()),
                       info.kind != ParameterKind::vector});
  }
  norms_ = Buffer(parameters.stream(), 2 * layers_.size() * sizeof(double), "the layers' norms");
}

void Optimizer::step(Parameters& parameters, double rate, kernels::Stream& stream) {
  prepare(rate);
  update(parameters, stream);
}

void Optimizer::prepare(double rate) {
  ++steps_;
  with_type(dtype_, [&](auto element) {
    using T = decltype(element);
    const auto put = [&](auto constants) {
      if (settings_.clip_norm > 0) constants.clip = static_cast<T>(settings_.clip_norm);
      constants_.write(0, &constants, sizeof constants);
    };
    if (is_layerwise(settings_)) {
      const LayerConstants<T> constants = layer_constants<T>(settings_, rate, steps_);
      constants_.write(0, &constants, sizeof constants);
    } else if (settings_.kind == OptimizerSettings::Kind::adamw) {
      put(adamw_constants<T>(settings_, rate, steps_));
    } else {
      put(sgd_constants<T>(settings_, rate));
    }
  });
}

// Gradients become directions, each layer's are brought into proportion, and a plain step follows.
template <class T, class Stream>
void Optimizer::update_layers(Parameters& parameters, const double* squared, Stream& stream) {
  const auto* constants = reinterpret_cast<const LayerConstants<T>*>(constants_.data());
  const bool lamb = settings_.kind == OptimizerSettings::Kind::lamb;
  const auto state = [&](std::size_t i) { return reinterpret_cast<T*>(state_[i].buffer.data()); };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Slice& layer = layers_[i];
    const LayerKind kind = layer.adapts ? matrix : vector;
    const T* const values = parameters.values<T>() + layer.first;
    T* const gradients = parameters.gradients<T>() + layer.first;
    if (lamb) {
      kernels::UpdateBuffers<T> buffers{parameters.values<T>() + layer.first, gradients, state(0) + layer.first,
                                        state(1) + layer.first};
      buffers.count = layer.count;
      kernels::lamb_direction<T>(gradients, buffers, &constants->direction[kind], squared, stream);
    }
    double* const norms = reinterpret_cast<double*>(norms_.data()) + 2 * i;
    kernels::squared_norm<T>(norms, values, layer.count, stream);
    kernels::squared_norm<T>(norms + 1, gradients, layer.count, stream);
    kernels::adapt_to_layer<T>(gradients, values, layer.count, &constants->trust[kind], norms, squared, stream);
  }
  // LAMB's momentum is in its directions: without one a step's velocity is its gradient, and may take its place.
  kernels::UpdateBuffers<T> buffers{parameters.values<T>(), parameters.gradients<T>(),
                                    lamb ? parameters.gradients<T>() : state(0)};
  buffers.copy = parameters.rounded();
  buffers.count = static_cast<std::ptrdiff_t>(parameters.flat_size());
  kernels::sgd_step<T>(buffers, &constants->step, squared, stream);
}

void Optimizer::update(Parameters& parameters, kernels::Stream& stream) {
  const kernels::ProfileRange range(stream, "optimizer", "update");
  const auto count = static_cast<std::ptrdiff_t>(parameters.flat_size());
  auto* squared = reinterpret_cast<double*>(squared_.data());
  const auto body = [&](auto& concrete, auto element) {
    using T = decltype(element);
    const auto state = [&](std::size_t i) { return reinterpret_cast<T*>(state_[i].buffer.data()); };
    if (settings_.clip_norm > 0) {
      kernels::squared_norm<T>(squared, parameters.gradients<T>(), count, concrete);
    }
    if (is_layerwise(settings_)) return update_layers<T>(parameters, squared, concrete);
    kernels::UpdateBuffers<T> buffers{parameters.values<T>(), parameters.gradients<T>(), state(0)};
    buffers.copy = parameters.rounded();
    buffers.count = count;
    if (settings_.kind == OptimizerSettings::Kind::adamw) {
      buffers.second = state(1);
      kernels::adamw_step<T>(buffers, reinterpret_cast<const AdamwConstants<T>*>(constants_.data()), squared, concrete);
    } else {
      kernels::sgd_step<T>(buffers, reinterpret_cast<const SgdConstants<T>*>(constants_.data()), squared, concrete);
    }
  };
  std::visit([&](auto& concrete) { with_parameters(dtype_, concrete, body); }, stream);
}

std::vector<Optimizer::State> Optimizer::state() const {
  std::vector<State> copies;
  for (const Named& own : state_) {
    copies.push_back({own.name, std::vector<std::byte>(own.buffer.size())});
    own.buffer.read(copies.back().bytes.data(), 0, own.buffer.size());
  }
  return copies;
}

void Optimizer::set_state(const std::vector<State>& state) {
  if (state.size() != state_.size()) throw std::logic_error("another optimiser's state");
  for (std::size_t i = 0; i < state.size(); ++i) {
    if (state[i].name != state_[i].name || state[i].bytes.size() != state_[i].buffer.size()) {
      throw std::logic_error("another optimiser's state: " + state[i].name);
    }
    state_[i].buffer.write(0, state[i].bytes.data(), state[i].bytes.size());
  }
}

}  // namespace plume::nn
