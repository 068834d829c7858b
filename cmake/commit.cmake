# Writes what `unet/commit.hpp` declares, where it has changed: cmake -DSOURCE=DIR -DOUTPUT=FILE -P commit.cmake
execute_process(COMMAND git -C "${SOURCE}" describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT [[// Made by cmake/commit.cmake.
#include "unet/commit.hpp"

namespace plume::unet {

const char* const commit = "@commit@";

}  // namespace plume::unet
]] @ONLY)
