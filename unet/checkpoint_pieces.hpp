// A training's checkpoint in pieces, which its ranks write at the same time, and an index that makes them one.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nn/optimizer.hpp"
#include "unet/checkpoint.hpp"
#include "unet/inference/network.hpp"

namespace plume::unet {

struct SavedPiece {
  std::string file;  // relative to the run's folder
  std::string checksum;
};

// This rank's share of weights and optimiser state: folder/pieces/STEP/RANK-of-RANKS.safetensors. Durable when it returns.
// Throws environment_error.
[[nodiscard]] SavedPiece save_piece(const std::filesystem::path& folder, const Network& network,
                                    const nn::Optimizer& optimizer, std::int64_t step, int rank, int ranks);

// The index, once all pieces are there; `path` is in the run's folder. before: as nn::save_safetensors has it.
void save_index(const std::filesystem::path& path, const std::vector<SavedPiece>& pieces, const Network& network,
                const nn::Optimizer& optimizer, const Progress& progress, const std::string& config,
                const std::function<void()>& before = {});

// Removes pieces that no checkpoint of the folder names any more.
void remove_stray_pieces(const std::filesystem::path& folder);

}  // namespace plume::unet
