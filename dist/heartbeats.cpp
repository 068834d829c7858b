// One file of lines and, where a run ended badly, one beside it that says why.
#include "dist/heartbeats.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

constexpr std::size_t line_length = 192;  // with its newline
constexpr const char* suffix = ".ranks";

std::filesystem::path fault_path(const std::filesystem::path& path) {
  return std::filesystem::path(path).replace_extension(".fault");
}

std::string line_of(const Heartbeat& beat) {
  std::string line = fmt::format("{} {:.40} {} step={} phase={} since={} begun={} waiting={} published={} {}",
                                 beat.rank, beat.host, beat.process, beat.step, beat.phase, beat.since, beat.begun,
                                 beat.waiting, beat.published, beat.state);
  line.resize(line_length - 1, ' ');
  return line + '\n';
}

// None for a line that is not, or not wholly, written.
std::optional<Heartbeat> parse(const std::string& line) {
  Heartbeat beat;
  std::istringstream words(line);
  std::array<std::string, 6> pairs;
  if (!(words >> beat.rank >> beat.host >> beat.process)) return std::nullopt;
  for (std::string& pair : pairs)
    if (!(words >> pair)) return std::nullopt;
  if (!(words >> beat.state)) return std::nullopt;
  const auto value = [&](std::size_t i, std::string_view name) {
    const std::string& pair = pairs[i];
    return pair.starts_with(name) ? pair.substr(name.size()) : std::string();
  };
  try {
    beat.step = std::stoll(value(0, "step="));
    beat.phase = value(1, "phase=");
    beat.since = std::stoll(value(2, "since="));
    beat.begun = std::stoll(value(3, "begun="));
    beat.waiting = std::stoll(value(4, "waiting="));
    beat.published = std::stoll(value(5, "published="));
  } catch (const std::logic_error&) {
    return std::nullopt;
  }
  return beat;
}

}  // namespace

Heartbeats::Heartbeats(const std::filesystem::path& folder, std::uint64_t run)
    : path_(folder / fmt::format("{:016x}{}", run, suffix)) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) throw environment_error("cannot write {}: {}", path_.string(), std::strerror(errno));
}

Heartbeats::~Heartbeats() {
  ::close(file_);
}

void Heartbeats::publish(const Heartbeat& beat) {
  const std::string line = line_of(beat);
  const auto offset = static_cast<off_t>(static_cast<std::size_t>(beat.rank) * line_length);
  // A full disk must not end a training that has nothing else to write now; it makes the file old, no more.
  if (::pwrite(file_, line.data(), line.size(), offset) < 0) return;
}

std::vector<Heartbeat> Heartbeats::read() const {
  std::ifstream file(path_);
  std::vector<Heartbeat> beats;
  // By length, for a rank that has not come leaves a hole.
  for (std::string line(line_length, ' '); file.read(line.data(), line_length);) {
    if (auto beat = parse(line)) beats.push_back(std::move(*beat));
  }
  return beats;
}

bool Heartbeats::blame(const std::string& line, int code) {
  const int file = ::open(fault_path(path_).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return errno != EEXIST;  // where nothing can be written, it is better said twice than not at all
  const std::string text = fmt::format("{}\n{}\n", line, code);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(file);
  static_cast<void>(written);
  return true;
}

std::string Heartbeats::fault() const {
  std::ifstream file(fault_path(path_));
  std::string line;
  std::getline(file, line);
  return line;
}

int Heartbeats::fault_code() const {
  std::ifstream file(fault_path(path_));
  std::string line;
  int code = 0;
  std::getline(file, line);
  return file >> code && code != 0 ? code : static_cast<int>(ErrorKind::environment);
}

Heartbeat heartbeat_of(const Pulse& pulse, int process) {
  Heartbeat beat;
  beat.rank = pulse.rank.load();
  beat.host = pulse.host.data();
  beat.process = process;
  beat.step = pulse.step.load();
  beat.phase = phase_names[static_cast<std::size_t>(pulse.phase.load())];
  beat.since = pulse.since.load();
  beat.begun = pulse.begun.load();
  beat.waiting = pulse.waiting.load();
  beat.published = milliseconds_now();
  const Ending ending = pulse.ending.load();
  beat.state = ending == Ending::finished ? "finished" : ending == Ending::stopped ? "stopped" : "running";
  return beat;
}

std::string last_seen(const Heartbeat& beat, std::int64_t now) {
  return fmt::format("rank {} on {}: step {}, phase {}, {} s ago", beat.rank, beat.host, beat.step, beat.phase,
                     (now - beat.since) / 1000);
}

std::string whom_to_blame(const std::vector<Heartbeat>& beats, int ranks, std::int64_t now, std::int64_t silence) {
  std::string missing;
  for (int rank = 0; rank < ranks; ++rank) {
    const bool there =
        std::any_of(beats.begin(), beats.end(), [&](const Heartbeat& beat) { return beat.rank == rank; });
    if (!there) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", rank);
  }
  if (!missing.empty()) return fmt::format("never heard of: rank {}", missing);
  std::vector<Heartbeat> suspects;
  const auto suspect_where = [&](const auto& condition) {
    if (suspects.empty()) std::copy_if(beats.begin(), beats.end(), std::back_inserter(suspects), condition);
  };
  suspect_where([](const Heartbeat& beat) { return beat.state == "hung"; });
  suspect_where([&](const Heartbeat& beat) { return now - beat.published > silence && beat.state == "running"; });
  const auto [least, most] =
      std::minmax_element(beats.begin(), beats.end(), [](const auto& a, const auto& b) { return a.begun < b.begun; });
  if (least->begun < most->begun) suspect_where([&](const Heartbeat& beat) { return beat.begun == least->begun; });
  suspect_where([](const Heartbeat& beat) { return beat.waiting == 0 && beat.state == "running"; });
  if (suspects.empty()) return "all ranks wait for each other: is the network down?";
  std::string line = "last seen ";
  constexpr std::size_t named = 4;
  for (std::size_t i = 0; i < std::min(suspects.size(), named); ++i)
    line += fmt::format("{}{}", i == 0 ? "" : "; ", last_seen(suspects[i], now));
  if (suspects.size() > named) line += fmt::format("; and {} more", suspects.size() - named);
  return line;
}

void forget_earlier_runs(const std::filesystem::path& folder, std::uint64_t run) {
  const std::string own = fmt::format("{:016x}", run);
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const auto& path = entry.path();
    const bool ours = path.extension() == suffix || path.extension() == ".fault";
    if (ours && path.stem() != own) std::filesystem::remove(path, failed);
  }
}

}  // namespace plume::dist
