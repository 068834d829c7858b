// A training's configuration: a TOML file, changed by --set key=value. docs/reference.md lists the keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/loading/augmentation.hpp"
#include "dist/buckets.hpp"
#include "dist/slice_sum.hpp"
#include "nn/initialize.hpp"
#include "nn/loss.hpp"
#include "nn/optimizer.hpp"
#include "unet/families.hpp"
#include "unet/inference/device.hpp"
#include "unet/schedule.hpp"

namespace plume::unet {

struct DataSettings {
  std::string shard;      // path; relative to where plume is run
  bool normalize = true;  // by the shard's mean and std; else the network sees pixels as stored
  int loader_threads = 1;
  int shuffle_window = 0;  // tiles that are shuffled among each other at a time; 0: all
};

// What happens to a step whose loss or gradients are not finite: it ends the training, or changes nothing.
enum class OnNan { stop, skip };

// Whether normalised activations are computed again in backward instead of kept; the same bits either way.
enum class Recompute { automatic, always, never };

struct TrainSettings {
  std::int64_t steps = 0;   // optimiser steps; 0: by epochs
  std::int64_t epochs = 0;  // used where steps is 0
  int batch = 8;            // images of one optimiser step
  int accumulate = 1;       // the parts that a batch is computed in
  int crop = 0;             // 0: whole tiles
  bool flip = true;
  bool rotate = false;
  double class_share = 0;
  double class_threshold = 0.005;
  std::uint64_t seed = 0;
  std::int64_t validate_every = 100;  // steps
  int patience = 0;                   // validations without a better IoU before training stops; 0: never
  int keep = 2;                       // checkpoints to go on from
  bool sharded = false;               // whether each rank writes a piece of them
  int log_every = 10;                 // steps
  int pictures = 4;                   // validation tiles that TensorBoard shows
  double threshold = 0.5;             // of the probability, in validation
  int threads = 0;                    // 0: OMP_NUM_THREADS or all cores
  std::vector<std::string> freeze{};  // parameters that stay as they are (nn::Parameters::freeze)
  DeviceSettings device;
  OnNan on_nan = OnNan::stop;
  double explode = 1000;  // a loss beyond so many times the first ends the training
  Recompute recompute = Recompute::automatic;
  bool cuda_graph = true;  // record a step once and replay it
};

// What carries gradients between ranks. automatic: NCCL where they compute on CUDA and all can open it, else MPI.
enum class Backend { automatic, mpi, nccl };

// As users write them.
inline const std::vector<std::pair<std::string, dist::Timing>> timing_names{
    {"overlap", dist::Timing::overlap}, {"blocking", dist::Timing::blocking}, {"none", dist::Timing::none}};

// Of a training by several processes.
struct DistSettings {
  Backend backend = Backend::automatic;
  dist::Timing timing = dist::Timing::overlap;
  dist::Wire wire = dist::Wire::f32;
  double bucket = 0;      // MiB of gradients that are summed at a time; 0: by the device
  double deadline = 300;  // seconds that a rank may wait for others
  bool sync_batch_norm = false;
};

struct Config {
  DataSettings data;
  data::AugmentSettings augment;
  ModelSettings model;
  nn::Initializer initializer = nn::Initializer::he;
  std::string weights;  // a plume or PyTorch safetensors to start from; empty: the initialiser
  TrainSettings train;
  nn::LossSettings loss;
  std::vector<double> class_weights{};  // in the loss; empty: all weigh alike
  nn::OptimizerSettings optimizer;
  ScheduleSettings schedule;
  DistSettings dist;
};

// Throws input_error for a file that is missing or no TOML (with line and column), for a value of another type or out
// of range, for an unknown key, naming the nearest known one, and for keys that contradict each other
// (config_check.cpp); usage_error for a malformed override.
[[nodiscard]] Config load_config(const std::filesystem::path& path, const std::vector<std::string>& overrides);

// The same from text, as a checkpoint keeps it; `name` stands in messages.
[[nodiscard]] Config parse_config(const std::string& text, const std::string& name);

// Every key with its value in force, as TOML.
[[nodiscard]] std::string to_toml(const Config& config);

// Throws input_error where keys do not go together, naming them and what would.
void require_consistent(const Config& config);

// The keys whose values differ, in the order of to_toml.
[[nodiscard]] std::vector<std::string> differing_keys(const Config& a, const Config& b);

}  // namespace plume::unet
