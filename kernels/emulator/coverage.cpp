// Collects coverage, and appends it to the file named by PLUME_EMULATOR_COVERAGE when the program ends.
#include "kernels/emulator/coverage.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

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

}  // namespace

void note_launch(Kernel& kernel, std::uint64_t blocks) {
  if (blocks <= kernel.largest_grid) return;
  kernel.largest_grid = blocks;
  record().add(kernel);
}

bool left_out(const char* what, const std::source_location& site) {
  // Loops come here again and again: look only at what is new.
  static const char* last_file = nullptr;
  static unsigned last_line = 0;
  static bool last_answer = false;
  if (last_file == site.file_name() && last_line == site.line()) return last_answer;
  last_file = site.file_name();
  last_line = site.line();
  const std::string place = fmt::format("{}:{}", site.file_name(), site.line());
  record().add(fmt::format("site\t{}\t{}\n", what, place));
  static const char* skip = std::getenv("PLUME_EMULATOR_SKIP");
  last_answer = skip != nullptr && place.ends_with(skip);
  return last_answer;
}

void cover(const CoverPoint& point) {
  record().add(fmt::format("cover\t{}\t{}:{}\n", point.name, point.file, point.line));
}

}  // namespace plume::emulator
