// plume cloud teardown, for other commands that end with it.
#pragma once

#include <string>

#include "unet/commands/cloud_options.hpp"

namespace plume::unet {

struct TeardownArguments {
  CloudOptions cloud{};
  std::string endpoint{};
  std::string run{};  // in place of the endpoint: those of a run
  bool config = false;
  bool model = false;
  bool s3 = false;
  bool all = false;
  bool yes = false;
  bool dry_run = false;
  WaitSettings waiting{};
  std::string journal{};
};

// The exit code: 9 where something remains.
int run_teardown(const TeardownArguments& arguments);

}  // namespace plume::unet
