// A .tar.gz that depends on its contents alone: no time, no user, no order but that of names.
// Source: POSIX.1-2017, pax, "ustar Interchange Format"; RFC 1952.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace plume::unet {

struct ArchivedFile {
  std::string name;  // at most 100 bytes
  std::span<const std::byte> bytes;
};

// Files that all may read, of user 0 and the year 1970. Throws input_error for a file of 8 GiB or more.
[[nodiscard]] std::vector<std::byte> make_tar_gz(std::vector<ArchivedFile> files);

}  // namespace plume::unet
