// Create, parts, complete; or abort.
#include "cloud/s3/upload.hpp"

#include <algorithm>

#include "cloud/s3/local_file.hpp"
#include "cloud/s3/parallel.hpp"
#include "kernels/base/base64.hpp"

namespace plume::cloud {
namespace {

constexpr std::uint64_t mebibyte = 1ULL << 20;
constexpr std::uint64_t usual_part = 16 * mebibyte;
constexpr std::uint64_t least_part = 5 * mebibyte;
constexpr std::uint64_t most_part = 5ULL << 30;
constexpr std::size_t most_parts = 10'000;

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::optional<std::string> bytes_of_hex(std::string_view text) {
  if (text.size() != 32 || text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return bytes;
}

// What S3 and its like give an object of these parts; empty where their ETags are no MD5s.
std::string etag_of(const std::vector<Part>& parts) {
  Md5 md5;
  for (const Part& part : parts) {
    const auto bytes = bytes_of_hex(without_quotes(part.etag));
    if (!bytes) return {};
    md5.add(as_bytes(*bytes));
  }
  return fmt::format("{}-{}", hex(md5.finish()), parts.size());
}

class PartsUpload {
 public:
  PartsUpload(S3& s3, const LocalFile& file, const ObjectName& name, const UploadOptions& options)
      : s3_(s3),
        file_(file),
        name_(name),
        options_(options),
        size_(file.size()),
        plan_(plan_parts(size_, options.part_size)),
        parts_(plan_.count) {}

  UploadResult run() {
    if (options_.resume) find_earlier();
    if (id_.empty()) id_ = s3_.create_upload(name_, options_.put);
    UploadResult result{size_, {}, plan_.count, 0};
    try {
      for (const Part& part : parts_)
        if (part.number != 0) ++result.parts_found;
      run_parallel(plan_.count, options_.jobs, [&](std::size_t i) { send(i); });
      result.etag = complete();
    } catch (...) {
      if (!options_.resume) abandon(id_);
      throw;
    }
    for (const std::string& other : others_) abandon(other);
    return result;
  }

 private:
  [[nodiscard]] FileBody body(std::size_t i) const {
    const std::uint64_t offset = i * plan_.part_size;
    return {file_, offset, std::min(plan_.part_size, size_ - offset)};
  }

  // The latest upload of this key, and those of its parts that are what the file has.
  void find_earlier() {
    std::vector<PendingUpload> uploads = s3_.list_uploads(name_.bucket, name_.key);
    std::erase_if(uploads, [&](const PendingUpload& upload) { return upload.key != name_.key; });
    if (uploads.empty()) return;
    const auto latest = std::max_element(
        uploads.begin(), uploads.end(), [](const auto& one, const auto& other) { return one.started < other.started; });
    id_ = latest->id;
    for (const PendingUpload& upload : uploads)
      if (upload.id != id_) others_.push_back(upload.id);
    const std::vector<Part> found = s3_.list_parts(name_, id_);
    run_parallel(found.size(), options_.jobs, [&](std::size_t i) {
      const Part& part = found[i];
      if (part.number < 1 || static_cast<std::size_t>(part.number) > plan_.count) return;
      const std::size_t index = static_cast<std::size_t>(part.number) - 1;
      if (has_same_bytes(part, index)) parts_[index] = part;
    });
  }

  [[nodiscard]] bool has_same_bytes(const Part& part, std::size_t index) const {
    FileBody bytes = body(index);
    if (part.size != bytes.size()) return false;
    const bool by_checksum = !part.checksum.empty();
    Checksum sum(part.checksum_kind);
    Md5 md5;
    std::vector<std::byte> buffer(mebibyte);
    while (const std::size_t size = bytes.read(buffer)) {
      const auto piece = std::span<const std::byte>(buffer).first(size);
      by_checksum ? sum.add(piece) : md5.add(piece);
    }
    return by_checksum ? sum.finish() == part.checksum : hex(md5.finish()) == without_quotes(part.etag);
  }

  void send(std::size_t i) {
    FileBody bytes = body(i);
    if (parts_[i].number == 0) parts_[i] = s3_.upload_part(name_, id_, static_cast<int>(i) + 1, bytes);
    if (options_.progress) options_.progress(bytes.size());
  }

  // From the parts' own: empty where the server does not keep them.
  [[nodiscard]] std::string whole_checksum() const {
    const ChecksumKind kind = s3_.settings().checksum;
    if (!can_combine(kind)) return {};
    std::uint64_t whole = 0;
    for (const Part& part : parts_) {
      const auto bytes = from_base64(part.checksum);
      if (part.checksum_kind != kind || !bytes || bytes->empty()) return {};
      std::uint64_t value = 0;
      for (const char byte : *bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
      whole = combine(kind, whole, value, part.size);
    }
    return text_of(kind, whole);
  }

  std::string complete() {
    try {
      const std::string etag = s3_.complete_upload(name_, id_, parts_, whole_checksum(), options_.put.only_if_absent);
      return etag.empty() ? s3_.head(name_).etag : etag;  // Ceph leaves it out
    } catch (const Error& error) {
      // The answer to an earlier try may have been lost: then the object is there.
      const bool refused_later = error.failure() == Failure::conflict && error.attempt() > 1;
      if (error.failure() != Failure::not_found && error.failure() != Failure::unavailable && !refused_later) throw;
      const auto there = s3_.find(name_);
      const std::string expected = etag_of(parts_);
      if (!there || expected.empty() || without_quotes(there->etag) != expected) throw;
      abandon(id_);
      return there->etag;
    }
  }

  void abandon(const std::string& id) {
    try {
      s3_.abort_upload(name_, id);
    } catch (const Error&) {  // what went wrong before matters more
    }
  }

  S3& s3_;
  const LocalFile& file_;
  const ObjectName& name_;
  const UploadOptions& options_;
  std::uint64_t size_;
  PartPlan plan_;
  std::vector<Part> parts_;  // number 0: not there yet
  std::string id_;
  std::vector<std::string> others_;
};

}  // namespace

PartPlan plan_parts(std::uint64_t size, std::uint64_t part_size) {
  if (part_size != 0 && (part_size < least_part || part_size > most_part))
    throw cloud_error(Failure::usage, "S3 takes parts of 5 MiB to 5 GiB, not of {} bytes", part_size);
  const std::uint64_t fitting = (size + most_parts - 1) / most_parts;
  std::uint64_t chosen = part_size == 0 ? usual_part : part_size;
  if (fitting > chosen) chosen = (fitting + mebibyte - 1) / mebibyte * mebibyte;
  if (chosen > most_part) throw cloud_error(Failure::usage, "S3 takes no object of {} bytes", size);
  return {chosen, static_cast<std::size_t>(std::max<std::uint64_t>((size + chosen - 1) / chosen, 1))};
}

UploadResult upload_file(S3& s3, const std::filesystem::path& path, const ObjectName& name,
                         const UploadOptions& options) {
  const LocalFile file(path, LocalFile::For::reading);
  const std::uint64_t size = file.size();
  if (size > options.single_up_to) return PartsUpload(s3, file, name, options).run();
  FileBody body(file, 0, size);
  UploadResult result{size, s3.put(name, body, options.put), 1, 0};
  if (options.progress) options.progress(size);
  return result;
}

}  // namespace plume::cloud
