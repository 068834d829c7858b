// The POSIX half of AtomicFile.
#include "kernels/base/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "kernels/base/error.hpp"

namespace plume {
namespace {

constexpr std::string_view infix = ".tmp-";

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  auto name = path.filename().string() + fmt::format("{}{}-{}", infix, ::getpid(), counter.fetch_add(1));
  return path.parent_path() / name;
}

// The process of "<pid>-<n>", or 0 for any other text.
pid_t writer_of(std::string_view suffix) {
  pid_t process = 0;
  unsigned number = 0;
  const char* const end = suffix.data() + suffix.size();
  const auto [dash, bad_process] = std::from_chars(suffix.data(), end, process);
  if (bad_process != std::errc{} || process <= 0 || dash == end || *dash != '-') return 0;
  const auto [rest, bad_number] = std::from_chars(dash + 1, end, number);
  return bad_number == std::errc{} && rest == end ? process : 0;
}

// The temporaries of processes that are gone, by the file that they were to become. A folder is listed once, when this
// process first writes to it: who writes thousands of files does not list it for each.
class Abandoned {
 public:
  void remove_beside(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    std::error_code failed;
    const auto folder = std::filesystem::absolute(folder_of(path), failed);
    if (failed) return;
    if (folders_.insert(folder).second) list(folder);
    const auto [first, last] = temporaries_.equal_range(folder / path.filename());
    for (auto entry = first; entry != last; ++entry) ::unlink(entry->second.c_str());
    temporaries_.erase(first, last);
  }

 private:
  void list(const std::filesystem::path& folder) {
    std::error_code failed;
    for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
      const auto name = entry->path().filename().string();
      const auto place = name.rfind(infix);
      if (place == std::string::npos) continue;
      const pid_t writer = writer_of(std::string_view(name).substr(place + infix.size()));
      if (writer != 0 && ::kill(writer, 0) != 0 && errno == ESRCH)
        temporaries_.emplace(folder / name.substr(0, place), entry->path());
    }
  }

  std::mutex mutex_;
  std::set<std::filesystem::path> folders_;
  std::multimap<std::filesystem::path, std::filesystem::path> temporaries_;
};

Abandoned& abandoned() {
  static Abandoned all;
  return all;
}

Error cannot(const char* verb, const std::filesystem::path& path) {
  return environment_error("cannot {} {}: {}", verb, path.string(), std::strerror(errno));
}

void sync_folder(const std::filesystem::path& path) {
  const int descriptor = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // the data itself is already safe; some file systems refuse this
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  abandoned().remove_beside(path_);
  ::unlink(temporary_.c_str());  // of a killed process that had this one's number, as happens in containers
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw cannot("create", path_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw cannot("write", path_);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// fsync also reports what a delayed allocation could not store; of a file that is not synced, close or nobody does.
void AtomicFile::sync() {
  if (::fsync(descriptor_) != 0) throw cannot("write", path_);
}

void AtomicFile::commit(Durable durable) {
  if (durable == Durable::yes) sync();
  if (::close(descriptor_) != 0) {
    descriptor_ = -1;
    throw cannot("write", path_);
  }
  descriptor_ = -1;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw cannot("replace", path_);
  temporary_.clear();
  if (durable == Durable::yes) sync_folder(path_);
}

}  // namespace plume
