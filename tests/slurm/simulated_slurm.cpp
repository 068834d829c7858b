// Configuration files and daemons.
#include "simulated_slurm.hpp"

#include <fmt/core.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace plume::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// True as soon as the condition is, false where that takes too long.
template <class Condition>
bool holds_within(double seconds, const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(100ms);
  }
  return true;
}

// Daemons are where only an administrator looks for them.
std::string path_of(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/usr/local/sbin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((fs::path(folder) / program).c_str(), X_OK) == 0) return fs::path(folder) / program;
  return {};
}

// Of this machine, that nobody listens on.
std::vector<int> free_ports(int count) {
  std::vector<int> sockets;
  std::vector<int> ports;
  for (int i = 0; i < count; ++i) {
    sockets.push_back(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const pointer = reinterpret_cast<sockaddr*>(&address);
    if (::bind(sockets.back(), pointer, size) != 0 || ::getsockname(sockets.back(), pointer, &size) != 0)
      throw std::runtime_error("no free port");
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int socket : sockets) ::close(socket);
  return ports;
}

std::string this_host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  const std::string full = name.data();
  return full.substr(0, full.find('.'));
}

}  // namespace

std::string SimulatedSlurm::missing() {
  for (const char* program : {"munged", "munge", "slurmctld", "slurmd", "sbatch", "srun", "salloc", "scontrol"})
    if (path_of(program).empty()) return program;
  return {};
}

SimulatedSlurm::SimulatedSlurm(int nodes) {
  try {
    start_authentication();
    write_configuration(nodes);
    start({path_of("slurmctld"), "-D", "-f", folder_ / "slurm.conf"});
    for (int node = 1; node <= nodes; ++node)
      start({path_of("slurmd"), "-D", "-f", folder_ / "slurm.conf", "-N", fmt::format("n{}", node)});
    wait_until_idle(nodes);
  } catch (...) {
    stop();
    throw;
  }
}

SimulatedSlurm::~SimulatedSlurm() {
  stop();
}

// munged signs with a key of its own, which only this user may read.
void SimulatedSlurm::start_authentication() {
  const fs::path munge = folder_ / "munge";
  fs::create_directory(munge);
  std::random_device random;
  std::string key(128, '\0');
  for (char& byte : key) byte = static_cast<char>(random());
  write_file(munge / "key", key);
  fs::permissions(munge / "key", fs::perms::owner_read | fs::perms::owner_write);
  std::vector<std::string> daemon{path_of("munged"), "--foreground",
                                  "--force"};  // it minds a folder that others cannot enter
  for (const char* file : {"socket", "key", "pid", "seed"})
    daemon.push_back(
        fmt::format("--{}{}={}", file, std::string_view(file) == "socket" ? "" : "-file", (munge / file).string()));
  start(daemon);
  const bool ready = holds_within(10, [&] {
    return run_command({"munge", "-n", "-S", munge / "socket"}).exit_code == 0;
  });
  if (!ready) throw std::runtime_error("munged is not ready:\n" + logs());
}

void SimulatedSlurm::write_configuration(int nodes) const {
  const std::vector<int> ports = free_ports(nodes + 1);
  const std::string user = ::getpwuid(::geteuid())->pw_name;
  const std::string folder = (folder_ / "").string();
  for (const char* name : {"state", "spool"}) fs::create_directory(folder_ / name);
  // cred_expire: a requeued job waits so long before it starts again. NoInAddrAny: daemons listen on this machine alone.
  std::string text = fmt::format(
      "ClusterName=simulated\nSlurmctldHost={}(127.0.0.1)\nSlurmUser={}\nSlurmdUser={}\n"
      "AuthType=auth/munge\nAuthInfo=socket={}munge/socket,cred_expire=5\n"
      "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\nSlurmctldPort={}\n"
      "StateSaveLocation={}state\nSlurmctldPidFile={}slurmctld.pid\n"
      "SlurmdPidFile={}slurmd.%n.pid\nSlurmdSpoolDir={}spool/%n\n"
      "MpiDefault=none\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n"
      "JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n"
      "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n"
      "SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,requeue_delay=1\n"
      "SlurmdParameters=config_overrides\nReturnToService=2\nKillWait=5\nJobRequeue=1\n"
      "SlurmctldTimeout=30\nSlurmdTimeout=30\nPropagateResourceLimitsExcept=MEMLOCK\n",
      this_host(), user, user, folder, ports[0], folder, folder, folder, folder);
  for (int node = 1; node <= nodes; ++node)
    text += fmt::format(
        "NodeName=n{} NodeAddr=127.0.0.1 NodeHostname={} Port={} CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 "
        "ThreadsPerCore=1 RealMemory=1000 State=UNKNOWN\n",
        node, this_host(), ports[static_cast<std::size_t>(node)]);
  text += "PartitionName=all Nodes=ALL Default=YES MaxTime=24:00:00 State=UP\n";
  write_file(folder_ / "slurm.conf", text);
  write_file(folder_ / "cgroup.conf", "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n");
}

void SimulatedSlurm::start(const std::vector<std::string>& daemon) {
  const std::string log = fmt::format("{}-{}.log", fs::path(daemon.front()).filename().string(), daemons_.size());
  daemons_.push_back(std::make_unique<RunningCommand>(daemon, folder_ / log, surroundings()));
}

std::string SimulatedSlurm::logs() const {
  std::string text;
  for (const std::string& name : names_in(folder_ / ""))
    if (name.ends_with(".log")) text += name + ":\n" + read_file(folder_ / name);
  return text;
}

void SimulatedSlurm::wait_until_idle(int nodes) const {
  const std::string wanted = fmt::format("{}\n", nodes);
  const std::vector<std::string> count{"timeout", "2", "sinfo", "-h", "-t", "idle", "-o", "%D"};
  if (holds_within(30, [&] { return run(count).output == wanted; })) return;
  throw std::runtime_error("Slurm is not ready:\n" + logs());
}

void SimulatedSlurm::stop() {
  static_cast<void>(run({"timeout", "5", "scancel", "--me"}));
  const std::vector<std::string> jobs{"timeout", "2", "squeue", "-h"};
  static_cast<void>(holds_within(10, [&] { return run(jobs).output.empty(); }));
  for (; !daemons_.empty(); daemons_.pop_back()) {  // nodes before their controller
    daemons_.back()->signal(SIGTERM);
    static_cast<void>(daemons_.back()->wait_for(10));
  }
}

Surroundings SimulatedSlurm::surroundings(std::vector<std::string> environment) const {
  environment.push_back("SLURM_CONF=" + (folder_ / "slurm.conf").string());
  return {std::move(environment), std::nullopt};
}

std::string SimulatedSlurm::submit(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& environment) const {
  std::vector<std::string> command{"sbatch", "--parsable"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Outcome outcome = run_command(command, surroundings(environment));
  if (outcome.exit_code != 0) throw std::runtime_error("sbatch: " + outcome.errors);
  return outcome.output.substr(0, outcome.output.find_first_of(";\n"));
}

std::string SimulatedSlurm::job(const std::string& number, const std::string& field) const {
  std::istringstream words(run({"scontrol", "--oneliner", "show", "job", number}).output);
  for (std::string word; words >> word;)
    if (word.starts_with(field + "=")) return word.substr(field.size() + 1);
  return {};
}

std::string SimulatedSlurm::wait_for_end(const std::string& number, double seconds) const {
  std::string state;
  const bool ended = holds_within(seconds, [&] {
    state = job(number, "JobState");
    return state == "COMPLETED" || state == "FAILED" || state == "CANCELLED" || state == "TIMEOUT" ||
           state == "NODE_FAIL" || state == "OUT_OF_MEMORY";
  });
  if (!ended) throw std::runtime_error(fmt::format("job {} is still {} after {} s", number, state, seconds));
  return state;
}

}  // namespace plume::tests
