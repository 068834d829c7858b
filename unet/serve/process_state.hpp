// What the system says of this process.
#pragma once

#include <cstddef>

namespace plume::serve {

// 0 where the system does not say.
[[nodiscard]] std::size_t resident_bytes();
[[nodiscard]] std::size_t open_files();

}  // namespace plume::serve
