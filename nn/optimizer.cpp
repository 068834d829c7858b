// Optimiser steps.
#include "nn/optimizer.hpp"

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
      constants_(parameters.stream(), sizeof(AdamwConstants<double>), "the optimiser's constants"),
      squared_(parameters.stream(), sizeof(double), "the gradients' norm") {
  static_assert(sizeof(AdamwConstants<double>) >= sizeof(SgdConstants<double>));
  const std::size_t bytes = parameters.flat_size() * size_of(dtype_);
  const auto add = [&](const char* name) { state_.push_back({name, Buffer(parameters.stream(), bytes, name)}); };
  if (settings.kind == OptimizerSettings::Kind::adamw) {
    add("first_moment");
    add("second_moment");
  } else {
    add("velocity");
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
      constants_.write(0, &constants, sizeof constants);
    };
    if (settings_.kind == OptimizerSettings::Kind::adamw) {
      put(adamw_constants<T>(settings_, rate, steps_));
    } else {
      put(sgd_constants<T>(settings_, rate));
    }
  });
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
