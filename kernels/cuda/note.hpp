// What a user should know but that stops nothing: one line on stderr.
#pragma once

#include <string_view>

namespace plume::kernels::cuda {

void note(std::string_view text);

}  // namespace plume::kernels::cuda
