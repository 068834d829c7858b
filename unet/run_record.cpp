// run.json, written and removed.
#include "unet/run_record.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

constexpr const char* record_name = "run.json";

}  // namespace

void write_run_record(const std::filesystem::path& folder, const TrainOutcome& outcome) {
  const nlohmann::ordered_json record{{"state", outcome.stopped ? "stopped" : "finished"},
                                      {"step", outcome.progress.step},
                                      {"loss", outcome.last_loss},
                                      {"seconds", outcome.seconds},
                                      {"version", version}};
  AtomicFile file(folder / record_name);
  file.write(record.dump(2) + "\n");
  file.commit();
}

bool confirm_finished(const std::filesystem::path& folder) {
  std::ifstream file(folder / record_name);
  const auto record = nlohmann::json::parse(file, nullptr, false);
  if (!record.is_object() || !record.contains("state") || record["state"] != "finished") return false;
  std::error_code failed;
  std::filesystem::last_write_time(folder / record_name, std::filesystem::file_time_type::clock::now(), failed);
  if (failed) throw environment_error("cannot write {}: {}", (folder / record_name).string(), failed.message());
  return true;
}

void forget_run_record(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::remove(folder / record_name, failed);
  if (failed) throw environment_error("cannot remove {}: {}", (folder / record_name).string(), failed.message());
}

}  // namespace plume::unet
