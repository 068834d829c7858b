// Optimiser steps.
#include "nn/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/memory.hpp"
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

// Of the first update 0, so that an average needs no beginning.
double average_decay(const OptimizerSettings& settings, std::int64_t step) {
  const auto before = static_cast<double>(step - 1);
  return std::min(settings.average, before / (before + 9));
}

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
  constants.step.average_decay = t(average_decay(s, step));
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
  const auto add = [&](const char* name, std::size_t elements) {
    state_.push_back({name, Buffer(parameters.stream(), elements * size_of(dtype_), name)});
  };
  const std::size_t flat = parameters.flat_size();
  if (settings.kind == OptimizerSettings::Kind::adamw || settings.kind == OptimizerSettings::Kind::lamb) {
    add("first_moment", flat);
    add("second_moment", flat);
  } else {
    add("velocity", flat);
  }
  if (settings.average > 0) {
    add("average", flat);
    add("average_statistics", parameters.statistics_size());
  }
  note_slices(parameters);
  if (is_layerwise(settings))
    norms_ = Buffer(parameters.stream(), 2 * layers_.size() * sizeof(double), "the layers' norms");
}

void Optimizer::note_slices(const Parameters& parameters) {
  for (const ParameterInfo& info : parameters.all()) {
    if (info.kind == ParameterKind::statistic) continue;
    const Slice slice{static_cast<std::ptrdiff_t>(info.offset), static_cast<std::ptrdiff_t>(info.shape.count()),
                      info.kind != ParameterKind::vector};
    if (!info.frozen) layers_.push_back(slice);
    // With the gap before it, which is zero.
    auto& of_kind = info.frozen ? frozen_ : trained_;
    auto& other = info.frozen ? trained_ : frozen_;
    const auto last = [](const auto& slices) { return slices.empty() ? 0 : slices.back().first + slices.back().count; };
    if (!of_kind.empty() && last(of_kind) > last(other)) {
      of_kind.back().count = slice.first + slice.count - of_kind.back().first;
    } else {
      of_kind.push_back(slice);
    }
  }
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
      constants.average_decay = static_cast<T>(average_decay(settings_, steps_));
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

template <class T>
kernels::UpdateBuffers<T> Optimizer::buffers(Parameters& parameters, const Slice& slice) const {
  const auto state = [&](std::size_t i) { return reinterpret_cast<T*>(state_[i].buffer.data()) + slice.first; };
  const bool two = state_[0].name == "first_moment";
  kernels::UpdateBuffers<T> buffers{parameters.values<T>() + slice.first, parameters.gradients<T>() + slice.first,
                                    state(0)};
  if (two) buffers.second = state(1);
  if (settings_.average > 0) buffers.average = state(two ? 2 : 1);
  if (parameters.rounded()) buffers.copy = parameters.rounded() + slice.first;
  buffers.count = slice.count;
  return buffers;
}

// Gradients become directions, each layer's are brought into proportion, and a plain step follows.
template <class T, class Stream>
void Optimizer::update_layers(Parameters& parameters, const double* squared, Stream& stream) {
  const auto* constants = reinterpret_cast<const LayerConstants<T>*>(constants_.data());
  const bool lamb = settings_.kind == OptimizerSettings::Kind::lamb;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Slice& layer = layers_[i];
    const LayerKind kind = layer.adapts ? matrix : vector;
    const T* const values = parameters.values<T>() + layer.first;
    T* const gradients = parameters.gradients<T>() + layer.first;
    if (lamb) {
      kernels::lamb_direction<T>(gradients, buffers<T>(parameters, layer), &constants->direction[kind], squared,
                                 stream);
    }
    double* const norms = reinterpret_cast<double*>(norms_.data()) + 2 * i;
    kernels::squared_norm<T>(norms, values, layer.count, stream);
    kernels::squared_norm<T>(norms + 1, gradients, layer.count, stream);
    kernels::adapt_to_layer<T>(gradients, values, layer.count, &constants->trust[kind], norms, squared, stream);
  }
  for (const Slice& slice : trained_) {
    kernels::UpdateBuffers<T> step = buffers<T>(parameters, slice);
    // LAMB's momentum is in its directions: without one a step's velocity is its gradient, and may take its place.
    if (lamb) step.first = parameters.gradients<T>() + slice.first;
    kernels::sgd_step<T>(step, &constants->step, squared, stream);
  }
}

void Optimizer::update(Parameters& parameters, kernels::Stream& stream) {
  const kernels::ProfileRange range(stream, "optimizer", "update");
  auto* squared = reinterpret_cast<double*>(squared_.data());
  const auto body = [&](auto& concrete, auto element) {
    using T = decltype(element);
    // What is frozen has gradients that nobody writes, which stay 0.
    kernels::squared_norm<T>(squared, parameters.gradients<T>(), static_cast<std::ptrdiff_t>(parameters.flat_size()),
                             concrete);
    const T* average_decay = nullptr;
    if (is_layerwise(settings_)) {
      update_layers<T>(parameters, squared, concrete);
      average_decay = &reinterpret_cast<const LayerConstants<T>*>(constants_.data())->step.average_decay;
    } else if (settings_.kind == OptimizerSettings::Kind::adamw) {
      const auto* constants = reinterpret_cast<const AdamwConstants<T>*>(constants_.data());
      for (const Slice& slice : trained_)
        kernels::adamw_step<T>(buffers<T>(parameters, slice), constants, squared, concrete);
      average_decay = &constants->average_decay;
    } else {
      const auto* constants = reinterpret_cast<const SgdConstants<T>*>(constants_.data());
      for (const Slice& slice : trained_)
        kernels::sgd_step<T>(buffers<T>(parameters, slice), constants, squared, concrete);
      average_decay = &constants->average_decay;
    }
    if (settings_.average == 0) return;
    const auto average = [&](const char* name) {
      return reinterpret_cast<T*>(std::find_if(state_.begin(), state_.end(), [&](const Named& own) {
                                    return own.name == name;
                                  })->buffer.data());
    };
    for (const Slice& slice : frozen_) {  // they stay; the average begins with them
      kernels::moving_average<T>(average("average") + slice.first, parameters.values<T>() + slice.first, slice.count,
                                 average_decay, squared, concrete);
    }
    kernels::moving_average<T>(average("average_statistics"), parameters.statistics<T>(),
                               static_cast<std::ptrdiff_t>(parameters.statistics_size()), average_decay, squared,
                               concrete);
  };
  std::visit([&](auto& concrete) { with_parameters(dtype_, concrete, body); }, stream);
}

bool Optimizer::finite() const {
  double squared = 0;
  squared_.read(&squared, 0, sizeof squared);
  return std::isfinite(squared);
}

void Optimizer::average_into(Parameters& to) const {
  if (settings_.average == 0) throw std::logic_error("there is no moving average");
  to.set_flat(state_[state_.size() - 2].buffer, state_.back().buffer);
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
