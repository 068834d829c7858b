#include "data/synth/scenes.hpp"

#include <chrono>

#include "data/synth/abi_file.hpp"
#include "data/synth/smoke_outlines.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::synth {

void write_abi_scenes(const ScenesOptions& options, const std::function<void(int done, int total)>& progress) {
  if (options.count < 1) throw usage_error("{} scenes: it takes at least 1", options.count);
  const auto abi = options.folder / "abi";
  const auto hms = options.folder / "hms";
  for (const auto& folder : {abi, hms}) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) throw environment_error("cannot make {}: {}", folder.string(), failed.message());
  }
  for (int index = 0; index < options.count; ++index) {
    const AbiScene scene = draw_abi_scene(options.seed, index, options.threads);
    for (std::size_t band = 0; band < drawn_abi_bands().size(); ++band) {
      const bool reflective = drawn_abi_bands()[band].kappa0 > 0;
      if (reflective || options.thermal)
        write_abi_file(abi, scene, band, options.seed * 0x9E3779B97F4A7C15U + static_cast<std::uint64_t>(index));
    }
    write_smoke_day(hms, std::chrono::floor<std::chrono::seconds>(scene.start), outline_smoke(scene));
    if (progress) progress(index + 1, options.count);
  }
}

}  // namespace plume::data::synth
