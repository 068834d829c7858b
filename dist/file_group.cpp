// A file for each piece, named by collective, sender and receiver, which appears whole.
#include "dist/file_group.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "dist/launcher.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

using Clock = std::chrono::steady_clock;

// What others will have written.
class Reading : public Pending {
 public:
  Reading(std::filesystem::path folder, double deadline) : folder_(std::move(folder)), deadline_(deadline) {}

  void expect(int rank, const std::string& name, void* to, std::size_t bytes) {
    expected_.push_back({rank, folder_ / name, static_cast<char*>(to), bytes});
  }
  [[nodiscard]] bool done() override {
    while (!expected_.empty()) {
      const Expected& next = expected_.back();
      std::ifstream file(next.path, std::ios::binary);
      if (!file) {
        if (std::chrono::duration<double>(Clock::now() - start_).count() > deadline_)
          throw environment_error("rank {} has not come to {} within {} s", next.rank, folder_.string(), deadline_);
        return false;
      }
      file.read(next.to, static_cast<std::streamsize>(next.bytes));
      if (!file || file.peek() != std::ifstream::traits_type::eof())
        throw environment_error("{}: {} bytes were expected; ranks do not call the same collectives",
                                next.path.string(), next.bytes);
      expected_.pop_back();
    }
    return true;
  }

 private:
  struct Expected {
    int rank;
    std::filesystem::path path;
    char* to;
    std::size_t bytes;
  };
  std::filesystem::path folder_;
  double deadline_;
  Clock::time_point start_ = Clock::now();
  std::vector<Expected> expected_;
};

struct Place {
  std::filesystem::path folder;
  int rank;
  int size;
  double deadline;

  void write(const std::string& name, const void* data, std::size_t bytes) const {
    AtomicFile file(folder / name);
    file.write({static_cast<const char*>(data), bytes});
    file.commit(Durable::no);
  }
};

struct Neighbours {
  int local_rank = 0;
  int local_size = 0;
};

Neighbours neighbours_of(const Place& place) {
  using Host = std::array<char, 64>;
  Host own{};
  std::strncpy(own.data(), host_name().c_str(), own.size() - 1);
  place.write(fmt::format("host.{}", place.rank), own.data(), own.size());
  std::vector<Host> hosts(static_cast<std::size_t>(place.size));
  Reading reading(place.folder, place.deadline);
  for (int rank = 0; rank < place.size; ++rank)
    reading.expect(rank, fmt::format("host.{}", rank), hosts[static_cast<std::size_t>(rank)].data(), own.size());
  while (!reading.done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  Neighbours neighbours;
  for (int rank = 0; rank < place.size; ++rank) {
    if (hosts[static_cast<std::size_t>(rank)] != own) continue;
    ++neighbours.local_size;
    if (rank < place.rank) ++neighbours.local_rank;
  }
  return neighbours;
}

class FileGroup : public Communicator {
 public:
  FileGroup(const Place& place, const Neighbours& neighbours)
      : Communicator(place.rank, place.size, neighbours.local_rank, neighbours.local_size), place_(place) {}
  [[nodiscard]] std::string_view library() const override { return "files"; }

 private:
  std::unique_ptr<Pending> begin_broadcast(void* data, std::size_t bytes, int root) override {
    const std::string name = fmt::format("value{}.{}", values_++, root);
    auto reading = std::make_unique<Reading>(place_.folder, place_.deadline);
    if (rank() == root) {
      place_.write(name, data, bytes);
    } else {
      reading->expect(root, name, data, bytes);
    }
    return reading;
  }
  std::unique_ptr<Pending> begin_all_gather(const void* own, void* all, std::size_t bytes) override {
    const int number = values_++;
    place_.write(fmt::format("value{}.{}", number, rank()), own, bytes);
    auto reading = std::make_unique<Reading>(place_.folder, place_.deadline);
    for (int other = 0; other < size(); ++other)
      reading->expect(other, fmt::format("value{}.{}", number, other),
                      static_cast<char*>(all) + static_cast<std::size_t>(other) * bytes, bytes);
    return reading;
  }
  std::unique_ptr<Pending> begin_exchange(const void* from, const std::vector<Piece>& sent, void* to,
                                          const std::vector<Piece>& received) override {
    const int number = exchanges_++;
    auto reading = std::make_unique<Reading>(place_.folder, place_.deadline);
    for (int other = 0; other < size(); ++other) {
      const Piece& out = sent[static_cast<std::size_t>(other)];
      const Piece& in = received[static_cast<std::size_t>(other)];
      place_.write(fmt::format("exchange{}.{}.{}", number, rank(), other), static_cast<const char*>(from) + out.offset,
                   out.bytes);
      reading->expect(other, fmt::format("exchange{}.{}.{}", number, other, rank()), static_cast<char*>(to) + in.offset,
                      in.bytes);
    }
    return reading;
  }
  std::unique_ptr<Pending> begin_share(void* data, const std::vector<Piece>& pieces) override {
    const int number = shares_++;
    auto reading = std::make_unique<Reading>(place_.folder, place_.deadline);
    for (int other = 0; other < size(); ++other) {
      const Piece& piece = pieces[static_cast<std::size_t>(other)];
      char* const at = static_cast<char*>(data) + piece.offset;
      const std::string name = fmt::format("share{}.{}", number, other);
      if (other == rank()) {
        place_.write(name, at, piece.bytes);
      } else {
        reading->expect(other, name, at, piece.bytes);
      }
    }
    return reading;
  }

  Place place_;
  int values_ = 0;
  int exchanges_ = 0;
  int shares_ = 0;
};

}  // namespace

std::unique_ptr<Communicator> file_group(const std::filesystem::path& folder, int rank, int size, double deadline) {
  const Place place{folder, rank, size, deadline};
  return std::make_unique<FileGroup>(place, neighbours_of(place));
}

}  // namespace plume::dist
