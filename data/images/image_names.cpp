// Lists a folder.
#include "data/images/image_names.hpp"

#include <algorithm>
#include <system_error>

#include "data/images/text.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {

std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder,
                                               const std::set<std::string>& extensions) {
  std::error_code failed;
  std::vector<std::filesystem::path> found;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto& path = entry->path();
    if (extensions.contains(lower_case(path.extension().string())) && !path.filename().string().starts_with('.'))
      found.push_back(path);
  }
  if (failed) throw input_error("cannot read the folder {}: {}", folder.string(), failed.message());
  if (found.empty()) throw input_error("{} holds no .tif, .png, .npy or other image", folder.string());
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  std::set<std::string> stems;
  for (const auto& path : found) {
    if (!stems.insert(path.stem().string()).second)
      throw input_error("{} holds two files named {} with different extensions; keep one", folder.string(),
                        path.stem().string());
  }
  return found;
}

}  // namespace plume::data
