// Files are shared out to threads; where there are fewer files than threads, a file's parts are too.
#include "cloud/s3/objects.hpp"

#include <algorithm>

#include "cloud/s3/download.hpp"
#include "cloud/s3/parallel.hpp"

namespace plume::cloud {

std::vector<ListedObject> list_all(S3& s3, const std::string& bucket, const std::string& prefix) {
  std::vector<ListedObject> objects;
  std::string next;
  do {
    Listing page = s3.list(bucket, prefix, {}, next);
    std::move(page.objects.begin(), page.objects.end(), std::back_inserter(objects));
    if (page.next == next && !next.empty())
      throw cloud_error(Failure::unavailable, "ListObjectsV2 s3://{}/{}: the same page comes again", bucket, prefix);
    next = page.next;
  } while (!next.empty());
  return objects;
}

DownloadAllResult download_all(S3& s3, const std::string& bucket, std::span<const ObjectToFile> objects,
                               const DownloadAllOptions& options) {
  std::atomic<std::size_t> fetched = 0;
  std::atomic<std::uint64_t> bytes = 0;
  run_parallel(objects.size(), options.jobs, [&](std::size_t i) {
    const ObjectToFile& object = objects[i];
    std::error_code absent;
    if (std::filesystem::file_size(object.path, absent) != object.size || absent) {
      DownloadOptions download;
      download.size = object.size;
      download.resume = true;
      download.jobs = std::max<std::size_t>(options.jobs / objects.size(), 1);
      download.progress = options.progress;
      static_cast<void>(download_file(s3, {bucket, object.key}, object.path, download));
      ++fetched;
      bytes += object.size;
    }
    if (options.file_done) options.file_done();
  });
  return {fetched, objects.size() - fetched, bytes};
}

}  // namespace plume::cloud
