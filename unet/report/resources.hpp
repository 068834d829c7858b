// The page's template, part of the program; CMake makes the object that holds it.
#pragma once

#include <string_view>

namespace plume::unet {

extern const std::string_view report_html;  // report.html

}  // namespace plume::unet
