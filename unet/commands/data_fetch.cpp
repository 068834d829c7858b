// plume data fetch: a satellite's files from NOAA's public archive.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "cloud/s3/objects.hpp"
#include "cloud/s3/open.hpp"
#include "cloud/s3/parallel.hpp"
#include "data/abi/archive.hpp"
#include "data/hms/time.hpp"
#include "data/images/raster.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"
#include "unet/commands/transfer_progress.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

using data::abi::ArchiveQuery;

struct Arguments {
  std::string output;
  std::string start;
  std::string end;
  std::string product;
  std::string bands = "1-6";
  std::string endpoint;
  int satellite = 16;
  std::size_t jobs = 8;
  bool dry_run = false;
  bool json = false;
};

data::abi::Time time_of(const char* option, const std::string& text) {
  const auto time = data::parse_iso_time(text);
  if (!time) throw usage_error("{} {}: a time is YYYY-MM-DDTHH:MM, in UTC", option, text);
  return *time;
}

ArchiveQuery query_of(const Arguments& arguments) {
  ArchiveQuery query;
  query.satellite = arguments.satellite;
  query.product = arguments.product;
  for (const int band : data::parse_bands(arguments.bands)) {
    if (band > 15) throw usage_error("--bands {}: ABI has 16 channels", arguments.bands);
    query.channels.push_back(band + 1);
  }
  query.first = time_of("--start", arguments.start);
  query.end = time_of("--end", arguments.end);
  if (query.end <= query.first) throw usage_error("--end {} is not after --start {}", arguments.end, arguments.start);
  return query;
}

// NOAA's buckets, which ask nobody for keys.
class Archive {
 public:
  explicit Archive(const std::string& endpoint)
      : config_({.endpoint_url = endpoint}, cloud::system_surroundings()),
        transport_(cloud::make_transport(config_.transport_settings())),
        s3_(*transport_, nullptr, cloud::system_clock(), settings(config_), client_settings(config_)) {}

  cloud::S3& s3() { return s3_; }

 private:
  static cloud::S3Settings settings(const cloud::Config& config) {
    cloud::S3Settings settings = cloud::s3_settings(config);
    settings.choice.region = "us-east-1";
    return settings;
  }
  static cloud::ClientSettings client_settings(const cloud::Config& config) {
    cloud::ClientSettings settings = cloud::s3_client_settings(config);
    settings.cancelled = &StopSignal::flag();
    return settings;
  }

  cloud::Config config_;
  std::unique_ptr<cloud::Transport> transport_;
  cloud::S3 s3_;
};

std::vector<cloud::ObjectToFile> find_files(cloud::S3& s3, const ArchiveQuery& query, const Arguments& arguments) {
  const std::string bucket = data::abi::archive_bucket(query.satellite);
  const std::vector<std::string> prefixes = data::abi::archive_prefixes(query);
  std::vector<std::vector<cloud::ListedObject>> hours(prefixes.size());
  cloud::run_parallel(prefixes.size(), arguments.jobs,
                      [&](std::size_t i) { hours[i] = cloud::list_all(s3, bucket, prefixes[i]); });
  std::vector<cloud::ObjectToFile> files;
  for (const auto& hour : hours)
    for (const cloud::ListedObject& object : hour)
      if (is_asked_for(query, object.key))
        files.push_back({object.key, object.size,
                         std::filesystem::path(arguments.output) / std::filesystem::path(object.key).filename()});
  if (files.empty())
    throw input_error("s3://{} has no {} of bands {} from {} to {} (it has {} objects of these hours)", bucket,
                      arguments.product, arguments.bands, arguments.start, arguments.end,
                      std::accumulate(hours.begin(), hours.end(), std::size_t{0},
                                      [](std::size_t sum, const auto& hour) { return sum + hour.size(); }));
  return files;
}

std::uint64_t size_of(const std::vector<cloud::ObjectToFile>& files) {
  std::uint64_t size = 0;
  for (const cloud::ObjectToFile& file : files) size += file.size;
  return size;
}

void list(const std::vector<cloud::ObjectToFile>& files, const std::string& bucket, bool json) {
  for (const cloud::ObjectToFile& file : files) {
    if (json) {
      fmt::print("{}\n", nlohmann::ordered_json{{"key", file.key}, {"size", file.size}}.dump());
    } else {
      fmt::print("{:>12}  s3://{}/{}\n", file.size, bucket, file.key);
    }
  }
  if (!json) fmt::print("{} files, {}\n", files.size(), bytes_text(size_of(files)));
}

cloud::DownloadAllResult fetch(cloud::S3& s3, const std::string& bucket, const std::vector<cloud::ObjectToFile>& files,
                               std::size_t jobs) {
  TransferProgress progress(files.size(), size_of(files));
  cloud::DownloadAllOptions options;
  options.jobs = jobs;
  options.progress = [&](std::uint64_t bytes) { progress.add(bytes); };
  options.file_done = [&] { progress.file_done(); };
  try {
    return cloud::download_all(s3, bucket, files, options);
  } catch (const Error&) {
    if (!StopSignal::requested()) throw;
    throw environment_error("stopped by a signal after {} of {} files; the same command goes on", progress.files_done(),
                            files.size());
  }
}

int run(const Arguments& arguments) {
  const StopSignal signals;
  const ArchiveQuery query = query_of(arguments);
  const std::string bucket = data::abi::archive_bucket(query.satellite);
  Archive archive(arguments.endpoint);
  const auto files = find_files(archive.s3(), query, arguments);
  if (arguments.dry_run) {
    list(files, bucket, arguments.json);
    return 0;
  }
  std::error_code failed;
  std::filesystem::create_directories(arguments.output, failed);
  if (failed) throw environment_error("{}: the folder cannot be made: {}", arguments.output, failed.message());
  const auto begin = std::chrono::steady_clock::now();
  const cloud::DownloadAllResult result = fetch(archive.s3(), bucket, files, arguments.jobs);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (arguments.json) {
    fmt::print("{}\n", nlohmann::ordered_json{{"folder", arguments.output},
                                              {"files", files.size()},
                                              {"fetched", result.fetched},
                                              {"at_hand", result.at_hand},
                                              {"bytes_fetched", result.bytes},
                                              {"seconds", seconds.count()}}
                           .dump());
  } else {
    fmt::print("{}: {} files, {} of them fetched ({} in {:.1f} s), {} were there\n", arguments.output, files.size(),
               result.fetched, bytes_text(result.bytes), seconds.count(), result.at_hand);
  }
  return 0;
}

}  // namespace

void add_fetch_command(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = data_app.add_subcommand("fetch", "Gets ABI files from NOAA's public archive");
  app->add_option("--start", arguments->start, "Scans that start then or later: YYYY-MM-DDTHH:MM, UTC")->required();
  app->add_option("--end", arguments->end, "... and before this")->required();
  app->add_option("--product", arguments->product, "What, and of which sector: RadF, RadC, RadM1, CMIPC, ...")
      ->required()
      ->check(CLI::IsMember(data::abi::archive_products()));
  app->add_option("--bands", arguments->bands, "Which channels, e.g. 1-6 or 1,3,7")->capture_default_str();
  app->add_option("--satellite", arguments->satellite,
                  "GOES 16 to 19; the one in the east was 16 until April 2025, then 19, in the west 17 until January 2023, "
                  "then 18")
      ->capture_default_str()
      ->check(CLI::Range(16, 19));
  app->add_option("-o,--output", arguments->output, "Folder to write into")->required();
  app->add_option("--jobs", arguments->jobs, "Files, or parts of large ones, at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app->add_option("--endpoint", arguments->endpoint, "Another server that has the buckets, e.g. a mirror: its URL");
  app->add_flag("--dry-run", arguments->dry_run, "Only list what there is, with sizes in bytes");
  app->add_flag("--json", arguments->json, "Print JSON");
  app->footer(
      "Example: plume data fetch --start 2021-09-21T22:00 --end 2021-09-21T23:00 --product RadC --bands 1-6 -o abi");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet
