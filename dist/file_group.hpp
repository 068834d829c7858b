// Ranks that know each other by a folder that all of them see: for a machine without MPI, as the GPU bundle's may be.
#pragma once

#include <filesystem>
#include <memory>

#include "dist/communicator.hpp"

namespace plume::dist {

// Rank `rank` of `size`, which all must come within `deadline` seconds, here and at every later collective: throws
// environment_error naming one who has not. The folder is there, was empty before the first came, and is the caller's to
// remove. Every piece that is sent is a file, so this is for small things.
[[nodiscard]] std::unique_ptr<Communicator> file_group(const std::filesystem::path& folder, int rank, int size,
                                                       double deadline);

}  // namespace plume::dist
