// From a path to the files of a shard.
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "data/shards/shard.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

using Path = std::filesystem::path;

constexpr std::string_view form = "-00000-of-00000";  // at the end of the names of several processes' shards

std::vector<Path> in_folder(const Path& folder) {
  std::vector<Path> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path().extension() == ".h5") found.push_back(entry->path());
  }
  if (failed) throw input_error("cannot read the folder {}: {}", folder.string(), failed.message());
  return found;
}

std::vector<Path> matching(const Path& pattern) {
  glob_t matches{};
  std::vector<Path> found;
  if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0)
    found.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  ::globfree(&matches);
  return found;
}

// Of "tiles-00001-of-00004", how many there are: 4; 1 for any other name.
int set_size(const std::string& stem) {
  if (stem.size() <= form.size()) return 1;
  const auto tail = stem.substr(stem.size() - form.size());
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (form[i] == '0' ? !digit : tail[i] != form[i]) return 1;
  }
  int size = 0;
  std::from_chars(tail.data() + form.rfind('-') + 1, tail.data() + tail.size(), size);
  return size;
}

// A file that its processes have not all written would train on a part of the data unnoticed.
void check_complete(const Path& path, const std::vector<Path>& files) {
  std::map<Path, std::pair<int, int>> sets;  // by name without number: files found, files there should be
  for (const auto& file : files) {
    const auto stem = file.stem().string();
    const int size = set_size(stem);
    if (size == 1) continue;
    auto& [found, wanted] = sets[file.parent_path() / stem.substr(0, stem.size() - form.size())];
    ++found;
    wanted = size;
  }
  for (const auto& [name, count] : sets) {
    if (count.first != count.second)
      throw input_error("{} names {} of the {} shards {}-*; pack the others, or name them all", path.string(),
                        count.first, count.second, name.string());
  }
}

}  // namespace

std::vector<Path> shard_files(const Path& path) {
  if (std::filesystem::is_regular_file(path)) return {path};
  std::vector<Path> files;
  if (std::filesystem::is_directory(path)) {
    files = in_folder(path);
    if (files.empty()) throw input_error("{} holds no .h5 file", path.string());
  } else if (path.string().find_first_of("*?[") != std::string::npos) {
    files = matching(path);
    if (files.empty()) throw input_error("no file matches {}", path.string());
  } else {
    return {path};  // whoever opens it says what is wrong
  }
  std::sort(files.begin(), files.end());
  check_complete(path, files);
  return files;
}

}  // namespace plume::data
