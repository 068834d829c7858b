// Which device a program computes on, and how precisely.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/base/dtype.hpp"
#include "kernels/stream.hpp"

namespace plume::unet {

enum class DeviceKind { automatic, cpu, cuda };  // automatic: CUDA where there is a device
enum class Precision { f32, tf32, bf16, int8 };  // tf32, bf16: on CUDA only; int8: inference on the CPU only

// As users write them.
inline const std::vector<std::pair<std::string, DeviceKind>> device_names{
    {"auto", DeviceKind::automatic}, {"cpu", DeviceKind::cpu}, {"cuda", DeviceKind::cuda}};
inline const std::vector<std::pair<std::string, Precision>> precision_names{
    {"f32", Precision::f32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}};
inline const std::vector<std::pair<std::string, Precision>> inference_precision_names{
    {"f32", Precision::f32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}, {"int8", Precision::int8}};

inline const std::vector<std::pair<std::string, kernels::ConvPolicy>> conv_names{
    {"auto", kernels::ConvPolicy::automatic},
    {"direct", kernels::ConvPolicy::direct},
    {"winograd", kernels::ConvPolicy::winograd},
    {"winograd-f2", kernels::ConvPolicy::winograd_f2},
    {"winograd-f4", kernels::ConvPolicy::winograd_f4}};

struct DeviceSettings {
  DeviceKind kind = DeviceKind::automatic;
  Precision precision = Precision::f32;
  kernels::ConvPolicy conv = kernels::ConvPolicy::automatic;  // on the CPU
};

// threads: of the CPU, 0 for all. With int8 automatic means the CPU. Throws environment_error where CUDA is asked for
// and absent, usage_error where the precision needs CUDA and the CPU is what there is, or the other way round. gpu:
// which of several CUDA devices.
[[nodiscard]] kernels::Stream make_stream(const DeviceSettings& settings, int threads, int gpu = 0);

// The element type of images and activations; of int8's own in f32.
[[nodiscard]] DType element_type(Precision precision);

// What results depend on in their last bits, for people and checkpoints: "avx2, auto convolutions", or "CUDA 9.0
// bf16".
[[nodiscard]] std::string arithmetic(const kernels::Stream& stream, Precision precision);

// One line: the device in use, and why it is the CPU where CUDA was built in.
[[nodiscard]] std::string describe_device(const kernels::Stream& stream, Precision precision);

}  // namespace plume::unet
