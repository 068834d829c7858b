// Work in a child process, for libraries that crash or hang on damaged files instead of reporting them.
#pragma once

#include <functional>
#include <string>

namespace plume::unet {

// Runs action in a forked child and returns the bytes that it returned; an Error thrown there is thrown here. The
// child's stderr is discarded. Throws input_error where the child crashed, used 10 s of processor time or did not end
// in 60 s, and environment_error where the system gives no process or no memory (also where it killed the child for
// want of it). action must ask for no size that it read unchecked: what it is not given counts as the system's want.
[[nodiscard]] std::string run_in_child(const std::function<std::string()>& action);

}  // namespace plume::unet
