// Shards: a layout whose tables are complete and whose pixels lie within the file, or refused.
#include "data/shards/shard_info.hpp"
#include "input_file.hpp"
#include "kernels/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const plume::tests::InputFile file(data, size);
  try {
    const auto [info, images, labels, bytes] = plume::data::read_shard_layout(file.path());
    const auto tiles = static_cast<std::size_t>(info.tiles);
    const auto pixels = tiles * static_cast<std::size_t>(info.height) * static_cast<std::size_t>(info.width);
    const auto image_bytes = pixels * static_cast<std::size_t>(info.bands) * plume::size_of(info.dtype);
    if (bytes > size || images > bytes || image_bytes > bytes - images || labels > bytes || pixels > bytes - labels)
      __builtin_trap();
    if (info.name.size() != tiles || info.split.size() != tiles || info.georeference.size() != tiles) __builtin_trap();
  } catch (const plume::Error&) {
  }
  return 0;
}
