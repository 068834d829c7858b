// plume data show
#pragma once

#include "unet/command.hpp"

namespace plume::unet {

void add_data_show(CLI::App& data_app, Action& action);

}  // namespace plume::unet
