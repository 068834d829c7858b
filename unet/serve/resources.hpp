// Files that are part of the program; CMake makes the object that holds them.
#pragma once

#include <string_view>

namespace plume::serve {

extern const std::string_view page_html;     // page.html
extern const std::string_view openapi_json;  // openapi.json

}  // namespace plume::serve
