// Collects coverage, and appends it to the file named by PLUME_EMULATOR_COVERAGE when the program ends.
#include "kernels/emulator/coverage.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "kernels/emulator/block.hpp"
#include "kernels/emulator/testing.hpp"

namespace plume::emulator {
namespace {

class Record {
 public:
  Record() : path_(std::getenv("PLUME_EMULATOR_COVERAGE")) {}
  ~Record() {
    if (path_ == nullptr) return;
    std::string text;
    for (const auto& [name, blocks] : kernels_) text += fmt::format("kernel\t{}\t{}\n", blocks, name);
    for (const std::string& point : points_) text += point;
    if (std::FILE* file = std::fopen(path_, "a")) {  // one write, so that programs that end together do not mix
      std::setvbuf(file, nullptr, _IOFBF, text.size() + 1);
      std::fwrite(text.data(), 1, text.size(), file);
      std::fclose(file);
    }
  }

  void add(const Kernel& kernel) { kernels_[kernel.name] = kernel.largest_grid; }
  void add(std::string point) { points_.insert(std::move(point)); }

 private:
  const char* path_;
  std::map<std::string, std::uint64_t> kernels_;
  std::set<std::string> points_;
};

Record& record() {
  static Record record;
  return record;
}

// The last site asked for: loops ask again and again.
struct Asked {
  const char* file = nullptr;
  unsigned line = 0;
  unsigned column = 0;
  bool left_out = false;
};
Asked last_asked;

std::string& left_out_place() {
  static std::string place = [] {
    const char* given = std::getenv("PLUME_EMULATOR_SKIP");
    return std::string(given == nullptr ? "" : given);
  }();
  return place;
}

// All sites that were asked for, with the answers.
std::map<std::tuple<const char*, unsigned, unsigned>, bool>& answers() {
  static std::map<std::tuple<const char*, unsigned, unsigned>, bool> answers;
  return answers;
}

bool find_out(const char* what, const std::source_location& site) {
  const std::string line = fmt::format("{}:{}", site.file_name(), site.line());
  const std::string place = fmt::format("{}:{}", line, site.column());
  record().add(fmt::format("site\t{}\t{}\n", what, place));
  const std::string& skip = left_out_place();
  return !skip.empty() && (place.ends_with(skip) || line.ends_with(skip));
}

}  // namespace

void note_launch(Kernel& kernel, std::uint64_t blocks) {
  if (blocks <= kernel.largest_grid) return;
  kernel.largest_grid = blocks;
  record().add(kernel);
}

bool left_out(const char* what, const std::source_location& site) {
  if (last_asked.file == site.file_name() && last_asked.line == site.line() && last_asked.column == site.column())
    return last_asked.left_out;
  const auto [answer, added] = answers().try_emplace({site.file_name(), site.line(), site.column()});
  if (added) answer->second = find_out(what, site);
  last_asked = {site.file_name(), site.line(), site.column(), answer->second};
  return last_asked.left_out;
}

void leave_out(std::string_view place) {
  left_out_place() = place;
  answers().clear();
  last_asked = {};
}

bool mask_left_out(const std::source_location& site) {
  if (!left_out("mask", site)) return false;
  Block::current().stop_if_failed();  // a loop without its bound ends at its first wrong access
  return true;
}

void cover(const CoverPoint& point) {
  record().add(fmt::format("cover\t{}\t{}:{}\n", point.name, point.file, point.line));
}

}  // namespace plume::emulator
