// One transfer as a program, to be killed and measured: put FILE s3://BUCKET/KEY or get s3://BUCKET/KEY FILE, with the
// environment's settings; --resume goes on with one that was broken off.
#include <fmt/core.h>

#include <cstring>
#include <string>

#include "cloud/s3/download.hpp"
#include "cloud/s3/open.hpp"
#include "cloud/s3/upload.hpp"

namespace {

int run(const std::string& verb, const std::string& from, const std::string& to, bool resume) {
  using namespace plume::cloud;
  const auto transport = make_transport(Config({}, system_surroundings()).transport_settings());
  const Config config({}, system_surroundings(transport.get()));
  CredentialChain keys(config);
  S3 s3(*transport, &keys, config.surroundings().clock, s3_settings(config), s3_client_settings(config));
  if (verb == "put") {
    UploadOptions options;
    options.resume = resume;
    if (const auto size = config.surroundings().word("PART_SIZE")) options.part_size = std::stoull(*size);
    if (const auto jobs = config.surroundings().word("JOBS")) options.jobs = std::stoul(*jobs);
    const UploadResult result = upload_file(s3, from, parse_object_name(to), options);
    fmt::print("{} bytes, {} of {} parts were there\n", result.size, result.parts_found, result.parts);
  } else {
    DownloadOptions options;
    options.resume = resume;
    if (const auto size = config.surroundings().word("PART_SIZE")) options.part_size = std::stoull(*size);
    if (const auto jobs = config.surroundings().word("JOBS")) options.jobs = std::stoul(*jobs);
    const DownloadResult result = download_file(s3, parse_object_name(from), to, options);
    fmt::print("{} bytes, {} parts were there\n", result.size, result.parts_found);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  try {
    return run(argv[1], argv[2], argv[3], argc > 4 && std::strcmp(argv[4], "--resume") == 0);
  } catch (const plume::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
