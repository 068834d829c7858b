// A folder's images by name.
#include "unet/serve/samples.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> types{{{".tif", "image/tiff"},
                                                                              {".tiff", "image/tiff"},
                                                                              {".png", "image/png"},
                                                                              {".npy", "application/x-npy"},
                                                                              {".json", "application/json"}}};

// Empty for what is no image.
std::string_view type_of(const fs::path& path) {
  const std::string extension = path.extension().string();
  const auto* const found =
      std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.first == extension; });
  return found == types.end() ? std::string_view() : found->second;
}

// "a%20b" is "a b" (RFC 3986, 2.1); what is no encoding stays.
std::string decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned char byte = 0;
    const char* const digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

}  // namespace

Samples::Samples(const fs::path& folder) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.is_regular_file() && !type_of(entry.path()).empty()) {
      files_.emplace(entry.path().filename().string(), entry.path());
    }
  }
  if (failed) throw input_error("{}: cannot read the samples' folder: {}", folder.string(), failed.message());
}

std::vector<std::string> Samples::names() const {
  std::vector<std::string> names;
  for (const auto& [name, path] : files_) names.push_back(name);
  return names;
}

Samples::Sample Samples::read(std::string_view name) const {
  const auto file = files_.find(decode_percent(name));
  if (file == files_.end()) throw RequestError(Status::not_found, "there is no such sample");
  std::ifstream stream(file->second, std::ios::binary);
  if (!stream) throw RequestError(Status::not_found, "the sample is no longer there");
  return {std::string(type_of(file->second)), {std::istreambuf_iterator<char>(stream), {}}};
}

}  // namespace plume::serve
