// From logits to what a prediction shows: probabilities, and a mask of decisions.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// How logits become probabilities: each by itself, or all of a pixel together.
enum class Link { sigmoid, softmax };

// Probabilities, none where data is null, and the mask (dense NHW), none where null. Of one channel the mask is 1 where
// the probability is above the threshold, else 0; of several it is the first channel whose probability is largest.
// Logits of f32 or f64 on the CPU, f32 or bf16 on CUDA.
template <class T>
void decide(Image<float> probability, std::uint8_t* mask, Image<const T> logits, Link link, float threshold,
            CpuStream& stream);
template <class T>
void decide(Image<float> probability, std::uint8_t* mask, Image<const T> logits, Link link, float threshold,
            CudaStream& stream);

}  // namespace plume::kernels
