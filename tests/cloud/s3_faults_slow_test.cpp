// Transfers through what goes wrong: nothing is lost, corrupted, doubled or left behind.
#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <random>
#include <thread>

#include "cloud/s3/download.hpp"
#include "cloud/s3/local_file.hpp"
#include "cloud/s3/parallel.hpp"
#include "cloud/s3/range_sink.hpp"
#include "cloud/s3/upload.hpp"
#include "fault_proxy.hpp"
#include "s3_server_test.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using namespace std::chrono_literals;

class FaultsSlow : public S3ServerTest {
 protected:
  FaultsSlow() : S3ServerTest(ServerKind::rgw) {}
};

TEST_F(FaultsSlow, FiveHundredTransfersArriveWhole) {
  FaultProxy proxy(server().url(), 0.2, 42);
  FixedKeys keys(server().access_key(), S3Server::secret_key());
  S3Settings settings;
  settings.choice.region = "us-east-1";
  settings.choice.custom = proxy.url();
  ClientSettings client_settings;
  client_settings.attempts = 10;
  client_settings.timeouts.stall = 1s;
  S3 s3(server().transport(), &keys, system_clock(), settings, client_settings);

  constexpr std::size_t objects = 250;
  run_parallel(objects, 4, [&](std::size_t i) {
    std::mt19937 generator(static_cast<unsigned>(i));
    // From nothing to 16 MiB, small ones as likely as large ones, but every fourth one in parts.
    const double least = i % 4 == 1 ? 22.6 : 0;
    const double exponent = std::uniform_real_distribution<double>(least, 24)(generator);
    const std::size_t size = i == 0 ? 0 : static_cast<std::size_t>(std::exp2(exponent));
    const std::string bytes = noise(size, static_cast<unsigned>(i));
    const auto source = folder_ / fmt::format("source-{}", i);
    write_file(source, bytes);
    UploadOptions up;
    up.part_size = 5 << 20;
    up.single_up_to = 6 << 20;
    up.jobs = 2;
    const ObjectName name = named(fmt::format("object-{}", i));
    upload_file(s3, source, name, up);
    DownloadOptions down;
    down.part_size = 1 << 20;
    down.jobs = 2;
    const auto target = folder_ / fmt::format("target-{}", i);
    download_file(s3, name, target, down);
    EXPECT_TRUE(read_file(target) == bytes) << i << ": " << size << " bytes";
    std::filesystem::remove(source);
    std::filesystem::remove(target);
  });
  const std::map<std::string, int> faults = proxy.faults();
  EXPECT_EQ(faults.size(), 9U);  // each happened
  int count = 0;
  for (const auto& [name, times] : faults) count += times;
  EXPECT_NEAR(count, 0.2 * proxy.requests(), 0.05 * proxy.requests());
  fmt::print("{} requests, {} faults\n", proxy.requests(), count);

  EXPECT_EQ(s3_->list(bucket_, "").objects.size(), objects);
  // Nobody can remove an upload whose number was lost on its way; --resume finds it, as does a bucket's lifecycle rule.
  EXPECT_EQ(s3_->list_uploads(bucket_, "").size(), proxy.lost_uploads());
}

// A child that puts `source`, killed after so long; its exit status, or nothing where the kill came first.
std::optional<int> put_and_kill(const S3Server& server, const std::string& source, const std::string& object,
                                std::chrono::milliseconds after) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string script =
        fmt::format("exec env {} PART_SIZE=5242880 JOBS=2 '{}' put '{}' '{}' --resume >/dev/null", server.environment(),
                    TRANSFER_PROGRAM, source, object);
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + after;
  int status = 0;
  while (std::chrono::steady_clock::now() < end) {
    if (::waitpid(child, &status, WNOHANG) == child) return WEXITSTATUS(status);
    std::this_thread::sleep_for(1ms);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return std::nullopt;
}

TEST_F(FaultsSlow, AKilledUploadGoesOn) {
  const std::string bytes = noise(96 << 20, 3);
  write_file(folder_ / "source", bytes);
  const std::string source = (folder_ / "source").string();
  const std::string object = "s3://" + bucket_ + "/killed";
  std::mt19937 generator(11);
  int kills = 0;
  int wholes = 0;
  while (kills < 30) {
    // Uploads that finish before the kill begin anew, with longer and shorter lives.
    const auto life = std::chrono::milliseconds(std::uniform_int_distribution<int>(10, 400)(generator));
    const auto status = put_and_kill(server(), source, object, life);
    if (!status) {
      ++kills;
    } else {
      ASSERT_EQ(*status, 0);
      ++wholes;
      EXPECT_TRUE(s3_->list_uploads(bucket_, "").empty());
      s3_->remove(named("killed"));
    }
  }
  ASSERT_EQ(put_and_kill(server(), source, object, 60s), 0);
  EXPECT_TRUE(s3_->get_text(named("killed")) == bytes);
  EXPECT_TRUE(s3_->list_uploads(bucket_, "").empty());
  fmt::print("{} kills, {} whole in between\n", kills, wholes);
}

// A transfer in a process of its own; its largest size in memory in MiB.
long memory_of(const S3Server& server, const std::string& arguments) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string script =
        fmt::format("exec env {} '{}' {} >/dev/null", server.environment(), TRANSFER_PROGRAM, arguments);
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return usage.ru_maxrss / 1024;
}

TEST_F(FaultsSlow, FiveGigabytesTakeLittleMemory) {
  constexpr std::uint64_t size = 5'000'000'000;
  const auto source = folder_ / "source";
  const auto target = folder_ / "target";
  {
    LocalFile file(source, LocalFile::For::writing);
    for (std::uint64_t at = 0; at < size; at += 50'000'000)
      file.write(as_bytes(noise(100'000, static_cast<unsigned>(at))), at);
    file.resize(size);
  }
  const std::string object = "s3://" + bucket_ + "/five";
  const long up = memory_of(server(), fmt::format("put '{}' '{}'", source.string(), object));
  const long down = memory_of(server(), fmt::format("get '{}' '{}'", object, target.string()));
  EXPECT_LT(up, 64);
  EXPECT_LT(down, 64);
  fmt::print("{} MiB up, {} MiB down\n", up, down);
  const LocalFile sent(source, LocalFile::For::reading);
  const LocalFile came(target, LocalFile::For::reading);
  EXPECT_EQ(came.size(), size);
  EXPECT_EQ(range_crc32c(came, 0, size), range_crc32c(sent, 0, size));
}

}  // namespace
}  // namespace plume::tests
