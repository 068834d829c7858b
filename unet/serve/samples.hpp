// Images that the page offers to who has none at hand.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace plume::serve {

class Samples {
 public:
  Samples() = default;
  // The images (.tif, .tiff, .png, .npy, .json) of a folder, as it is now. Throws input_error where it cannot be read.
  explicit Samples(const std::filesystem::path& folder);

  [[nodiscard]] std::vector<std::string> names() const;

  struct Sample {
    std::string content_type;
    std::string content;
  };
  // name: as in the path of a request, with its percent-encodings. Throws RequestError (not_found).
  [[nodiscard]] Sample read(std::string_view name) const;

 private:
  std::map<std::string, std::filesystem::path> files_;  // by name: nothing else can be read
};

}  // namespace plume::serve
