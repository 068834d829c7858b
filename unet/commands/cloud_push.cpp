// plume cloud push: a model to S3, under a name made of its contents.
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cloud/s3/upload.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"
#include "unet/commands/cloud_commands.hpp"
#include "unet/commands/cloud_options.hpp"
#include "unet/commands/transfer_progress.hpp"
#include "unet/export_sagemaker.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  CloudOptions cloud;
  std::string model;
  std::string destination;
  ExportOptions exported;
  cloud::UploadOptions upload;
  std::string checksum = "crc32c";
  std::size_t part_mebibytes = 0;
  std::vector<std::string> tags;
  bool dry_run = false;
};

// The archive as a file: the one that was given, or one made of a model, which goes with this object.
class Archive {
 public:
  explicit Archive(const Arguments& arguments) : path_(arguments.model) {
    if (arguments.model.ends_with(".tar.gz")) {
      const MappedFile file(path_);
      written_ = std::filesystem::last_write_time(path_);
      describe(file.bytes());
      return;
    }
    ExportOptions options = arguments.exported;
    if (options.name.empty()) options.name = path_.stem().string();
    const auto bytes = export_sagemaker(path_, options);
    made_ = std::make_unique<AtomicFile>(std::filesystem::temp_directory_path() / "plume-model.tar.gz");
    made_->write(bytes);
    path_ = made_->temporary();
    describe(bytes);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] const std::string& sha() const noexcept { return sha_; }
  // Since it was hashed.
  [[nodiscard]] bool has_changed() const { return written_ && std::filesystem::last_write_time(path_) != *written_; }

 private:
  void describe(std::span<const std::byte> bytes) {
    size_ = bytes.size();
    sha_ = cloud::hex(cloud::sha256(bytes));
  }

  std::filesystem::path path_;
  std::optional<std::filesystem::file_time_type> written_;  // of a file that was given
  std::unique_ptr<AtomicFile> made_;
  std::uint64_t size_ = 0;
  std::string sha_;
};

cloud::ObjectName object_of(const std::string& destination, const std::string& sha) {
  cloud::ObjectName name = cloud::parse_object_name(destination);
  if (!name.key.empty() && !name.key.ends_with('/')) name.key += '/';
  name.key += fmt::format("sha256-{}/model.tar.gz", sha);
  return name;
}

void report(const Arguments& arguments, const cloud::ObjectName& name, const Archive& archive, const char* what) {
  if (arguments.cloud.json) {
    fmt::print("{}\n",
               nlohmann::ordered_json{
                   {"object", name.text()}, {"bytes", archive.size()}, {"sha256", archive.sha()}, {"outcome", what}}
                   .dump());
  } else {
    tell(fmt::format("{}: {}", bytes_text(archive.size()), what));
    fmt::print("{}\n", name.text());
  }
}

bool is_there(cloud::S3& s3, const cloud::ObjectName& name, const Archive& archive) {
  const auto found = s3.find(name);
  if (!found || found->size != archive.size()) return false;
  const auto sha = found->metadata.find("sha256");
  return sha != found->metadata.end() && sha->second == archive.sha();
}

int run(Arguments arguments) {
  const StopSignal signals;
  const Archive archive(arguments);
  const cloud::ObjectName name = object_of(arguments.destination, archive.sha());
  if (arguments.dry_run) {
    report(arguments, name, archive, "would be put, unless it is there");
    return 0;
  }
  const auto session = open_session(arguments.cloud);
  const auto s3 = session->s3(cloud::checksum_named(arguments.checksum));
  if (is_there(*s3, name, archive)) {
    report(arguments, name, archive, "is there");
    return 0;
  }
  cloud::UploadOptions options = arguments.upload;
  options.part_size = arguments.part_mebibytes << 20;
  options.put.content_type = "application/gzip";
  options.put.tags = parse_pairs("--tag", arguments.tags);
  options.put.metadata = {{"sha256", archive.sha()}};
  TransferProgress progress(1, archive.size());
  options.progress = [&](std::uint64_t bytes) { progress.add(bytes); };
  try {
    static_cast<void>(upload_file(*s3, archive.path(), name, options));
  } catch (const cloud::Error& error) {
    // Another that goes on with the same upload may have been faster.
    if (error.code() != "NoSuchUpload" || !is_there(*s3, name, archive)) throw;
  }
  if (archive.has_changed()) {  // its name is that of other bytes
    s3->remove(name);
    throw input_error("{}: has changed while it was sent: push it again", arguments.model);
  }
  if (!is_there(*s3, name, archive))
    throw cloud::cloud_error(cloud::Failure::failed, "{}: what lies there is not what was sent", name.text());
  report(arguments, name, archive, "put");
  return 0;
}

}  // namespace

void add_cloud_push_command(CLI::App& cloud_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = cloud_app.add_subcommand("push", "Puts a model on S3, once");
  app->add_option("model", arguments->model, "A .safetensors that plume wrote, or an archive of export sagemaker")
      ->required();
  app->add_option("destination", arguments->destination,
                  "s3://BUCKET/PREFIX/, below which it becomes sha256-.../model.tar.gz")
      ->required();
  app->add_option("--name", arguments->exported.name, "Of the model, for people; by default the file's");
  app->add_option("--threshold", arguments->exported.threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--part-size", arguments->part_mebibytes, "MiB of each part of a large one; 0: as plume sees fit")
      ->capture_default_str();
  app->add_option("--jobs", arguments->upload.jobs, "Parts at a time")->capture_default_str()->check(CLI::Range(1, 64));
  app->add_option("--checksum", arguments->checksum, "crc32c, crc32, crc64nvme, sha256 or none")
      ->capture_default_str()
      ->check(CLI::IsMember({"crc32c", "crc32", "crc64nvme", "sha256", "none"}));
  app->add_flag("--resume", arguments->upload.resume, "Go on with an upload that was broken off");
  app->add_flag("--if-none-match", arguments->upload.put.only_if_absent, "Fail where another has put it meanwhile");
  app->add_option("--sse", arguments->upload.put.encryption, "AES256 or aws:kms; by default as the bucket says");
  app->add_option("--kms-key", arguments->upload.put.kms_key_id, "Of aws:kms");
  app->add_option("--storage-class", arguments->upload.put.storage_class, "E.g. STANDARD_IA");
  app->add_option("--tag", arguments->tags, "NAME=VALUE, of the object; may be repeated");
  app->add_flag("--dry-run", arguments->dry_run, "Only say what would be put; nothing is sent");
  add_cloud_options(*app, arguments->cloud);
  app->footer("Example: plume cloud push runs/first/best.safetensors s3://my-bucket/models/");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet
