// Trainings as a cluster runs them: started by srun, mpiexec and the site kit's job, stopped by a time limit and resumed.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../unet/ranks_training.hpp"
#include "simulated_slurm.hpp"

namespace plume::tests {
namespace {

class SlurmSlow : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_mpi()) GTEST_SKIP() << "no MPI, or no mpiexec (Debian and Ubuntu: mpich, libmpich-dev)";
    if (const std::string program = SimulatedSlurm::missing(); !program.empty())
      GTEST_SKIP() << "no " << program << " (Debian and Ubuntu: slurmctld, slurmd, slurm-client, munge)";
  }

  void prepare(int nodes, int steps) {
    slurm_.emplace(nodes);
    prepare_ranks_training(folder_, steps, 20);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return folder_ / name; }

  [[nodiscard]] std::vector<std::string> training(const std::string& run,
                                                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"train", file("config.toml"), "--out", file(run)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  // By a launcher: its words, then plume's.
  [[nodiscard]] Outcome launch(std::vector<std::string> launcher, const std::vector<std::string>& arguments) const {
    for (const std::string& word : plume_with(arguments)) launcher.push_back(word);
    return slurm_->run(launcher);
  }

  // By the kit, on two nodes with two ranks each: the job's number.
  [[nodiscard]] std::string submit(const std::vector<std::string>& options,
                                   const std::string& program = plume_with({}).front()) const {
    const std::string kit = PLUME_SOURCE_DIR "/dist/slurm";
    std::vector<std::string> command{"--nodes=2", "--ntasks-per-node=2", "--output=" + file("log")};
    command.insert(command.end(), options.begin(), options.end());
    for (const std::string& word : {kit + "/generic.sbatch", file("config.toml"), std::string("--out"), file("run")})
      command.push_back(word);
    return slurm_->submit(command, {"PLUME=" + program, "PLUME_KIT=" + kit});
  }

  // The end of what the job has written.
  [[nodiscard]] std::string log() const {
    const std::string text = read_file(file("log"));
    return text.substr(text.size() - std::min<std::size_t>(text.size(), 2000));
  }

  // Of four ranks that nobody disturbed.
  [[nodiscard]] std::string undisturbed() const {
    const Outcome whole = run_ranks(4, training("whole"));
    EXPECT_EQ(whole.exit_code, 0) << whole.errors;
    return read_file(file("whole/last.safetensors"));
  }

  void expect_finished(const std::string& expected_bytes) const {
    const auto record = nlohmann::json::parse(read_file(file("run/run.json")), nullptr, false);
    ASSERT_TRUE(record.is_object()) << log();
    EXPECT_EQ(record["state"], "finished");
    EXPECT_TRUE(read_file(file("run/last.safetensors")) == expected_bytes) << "the weights are others";
  }

  ScratchFolder folder_;
  std::optional<SimulatedSlurm> slurm_;
};

// A line of the start-up table, without the device.
std::string place(int rank, const std::string& host, int local) {
  return fmt::format("{:>5}  {:<16} {:>5}  CPU", rank, host, local);
}

TEST_F(SlurmSlow, StartsBySrun) {
  for (const int nodes : {1, 2, 4}) {
    slurm_.reset();
    prepare(nodes, 5);
    const int local_ranks = 4 / nodes;
    const std::string run = fmt::format("run{}", nodes);
    const Outcome outcome =
        launch({"srun", "--mpi=pmi2", fmt::format("-N{}", nodes), fmt::format("--ntasks-per-node={}", local_ranks)},
               training(run));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    for (int rank = 0; rank < 4; ++rank) {
      const std::string line = place(rank, fmt::format("n{}", rank / local_ranks + 1), rank % local_ranks);
      EXPECT_NE(outcome.errors.find(line), std::string::npos) << outcome.errors << "lacks " << line;
    }
  }
}

TEST_F(SlurmSlow, StartsByMpiexecInAnAllocation) {
  prepare(2, 5);
  const Outcome outcome = launch({"salloc", "-N2", "--ntasks-per-node=2", "mpiexec"}, training("run"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  for (int rank = 0; rank < 4; ++rank) {
    const std::string line = place(rank, rank < 2 ? "n1" : "n2", rank % 2);
    EXPECT_NE(outcome.errors.find(line), std::string::npos) << outcome.errors << "lacks " << line;
  }
}

// What else would be four trainings, each alone, that write over each other.
TEST_F(SlurmSlow, RefusesSrunThatKnowsNoMpi) {
  prepare(2, 5);
  const Outcome outcome = launch({"srun", "--mpi=none", "-N2", "--ntasks-per-node=2"}, training("run"));
  EXPECT_EQ(outcome.exit_code, 4) << outcome.errors;
  const auto lines = plume_lines(outcome.errors);
  ASSERT_FALSE(lines.empty()) << outcome.errors;
  for (const std::string& line : lines) EXPECT_NE(line.find("say --mpi=pmi2"), std::string::npos) << line;
  EXPECT_TRUE(names_in(file("run")).empty());
}

TEST_F(SlurmSlow, KitTrains) {
  prepare(2, 30);
  const std::string expected = undisturbed();
  EXPECT_EQ(slurm_->wait_for_end(submit({}), 120), "COMPLETED") << log();
  expect_finished(expected);
}

TEST_F(SlurmSlow, KitGoesOnAfterASignal) {
  prepare(2, 2000);
  const std::string expected = undisturbed();
  const std::string job = submit({});
  for (const int step :
       {40, 1000}) {  // the second beyond where the first stops it: until then the old heartbeats stand
    ASSERT_FALSE(wait_for_step(file("run"), 4, step).empty()) << log();
    const std::string restarts = slurm_->job(job, "Restarts");
    ASSERT_EQ(slurm_->run({"scancel", "--signal=USR1", job}).exit_code, 0);
    while (slurm_->job(job, "Restarts") == restarts && slurm_->job(job, "JobState") != "FAILED") ::usleep(100'000);
  }
  EXPECT_EQ(slurm_->wait_for_end(job, 120), "COMPLETED") << log();
  EXPECT_EQ(slurm_->job(job, "Restarts"), "2");
  expect_finished(expected);
}

// Slurm sends the signal up to a minute early, and knows no limits below a minute.
TEST_F(SlurmSlow, KitGoesOnAfterItsTimeLimit) {
  prepare(2, 4000);  // so many that starting hardly counts
  const auto start = std::chrono::steady_clock::now();
  static_cast<void>(undisturbed());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const int steps = 10 * static_cast<int>(400 * 160 / seconds.count());  // which will take about 160 s
  prepare_ranks_training(folder_, steps, 20);
  std::filesystem::remove_all(file("whole"));
  const std::string expected = undisturbed();
  const std::string job = submit({"--time=00:02:00", "--signal=USR1@30"});
  EXPECT_EQ(slurm_->wait_for_end(job, 600), "COMPLETED") << log();
  EXPECT_GE(std::stoi(slurm_->job(job, "Restarts")), 1) << log();
  expect_finished(expected);
}

TEST_F(SlurmSlow, KitBelievesNoExitCode) {
  prepare(2, 5);
  EXPECT_EQ(slurm_->wait_for_end(submit({}, "true"), 60), "FAILED");
  EXPECT_NE(log().find("does not say that the training is finished"), std::string::npos) << log();
}

// -K: srun's own answer to a rank that is gone. Without it srun would wait for ever, and the ranks end by themselves.
TEST_F(SlurmSlow, NamesARankThatIsGone) {
  prepare(2, 3000);
  prepare_ranks_training(folder_, 3000, 5);
  const auto expect = [&](const std::vector<std::string>& flags, int signal, bool supervisor, const std::string& part) {
    std::vector<std::string> launcher{"srun", "--mpi=pmi2", "-N2", "--ntasks-per-node=2"};
    launcher.insert(launcher.end(), flags.begin(), flags.end());
    std::filesystem::remove_all(file("run"));
    for (const std::string& word : plume_with(training("run", {"--quiet"}))) launcher.push_back(word);
    RunningCommand running(launcher, file("errors"), slurm_->surroundings());
    const auto beats = wait_for_step(file("run"), 4, 30);
    ASSERT_EQ(beats.size(), 4U) << read_file(file("errors"));
    ::kill(supervisor ? parent_of(beats[2].process) : beats[2].process, signal);
    const auto code = running.wait_for(15);
    ASSERT_TRUE(code.has_value()) << "has not ended in 15 s";
    EXPECT_NE(*code, 0);
    const auto lines = plume_lines(read_file(file("errors")));
    ASSERT_EQ(lines.size(), 1U) << read_file(file("errors"));
    EXPECT_NE(lines.front().find(part), std::string::npos) << lines.front();
    EXPECT_EQ(left_over(beats), std::vector<int>{});
  };
  for (const auto& flags : {std::vector<std::string>{}, {"--kill-on-bad-exit=1", "--wait=60"}}) {
    expect(flags, SIGKILL, false, "rank 2 on n2");
    expect(flags, SIGSTOP, false, "rank 2 on n2");
  }
  expect({}, SIGKILL, true, "rank 2 on n2");
}

}  // namespace
}  // namespace plume::tests
