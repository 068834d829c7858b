# How a plume target is made: C++20, strict warnings, and a header root of its own, so that an include against the
# folders' dependency order does not compile.

add_library(plume_options INTERFACE)
set(warnings -Wall -Wextra -Wconversion -Werror)
target_compile_options(plume_options INTERFACE -std=c++20
  $<$<COMPILE_LANGUAGE:CXX>:${warnings};-ffunction-sections;-fdata-sections>
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr;--Werror=all-warnings;--compiler-options=-Wall,-Wextra,-Werror,-ffunction-sections,-fdata-sections>)
target_link_options(plume_options INTERFACE -Wl,--gc-sections -Wl,--as-needed)
if(PLUME_SANITIZE)
  target_compile_options(plume_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${PLUME_SANITIZE};-fno-omit-frame-pointer;-g>)
  target_link_options(plume_options INTERFACE -fsanitize=${PLUME_SANITIZE})
endif()

# plume_add_folder(<folder> SOURCES ... [IN folder] [USES folders...] [LINKS libraries...])
# Makes the library plume_<folder>. Its headers are reached as "<folder>/..." (of a folder IN another as
# "<other>/<folder>/..."), through a link in the build tree that only those who link the library, or one that uses it,
# can see. LINKS are private: no third-party header leaks to users.
function(plume_add_folder folder)
  cmake_parse_arguments(ARG "" "IN" "SOURCES;USES;LINKS" ${ARGN})
  set(root "${PROJECT_BINARY_DIR}/headers/${folder}")
  file(MAKE_DIRECTORY "${root}/${ARG_IN}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${root}/${ARG_IN}/${folder}" SYMBOLIC)
  add_library(plume_${folder} STATIC ${ARG_SOURCES})
  target_include_directories(plume_${folder} PUBLIC "${root}")
  target_link_libraries(plume_${folder} PRIVATE plume_options ${ARG_LINKS})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(plume_${folder} PUBLIC plume_${used})
  endforeach()
endfunction()

# plume_add_program(<name> SOURCES ... USES folders... [LINKS libraries...] [DEVICE library])
# DEVICE is the CUDA backend to link: plume_device, unless the emulator takes its place.
function(plume_add_program name)
  cmake_parse_arguments(ARG "" "DEVICE" "SOURCES;USES;LINKS" ${ARGN})
  if(NOT ARG_DEVICE)
    set(ARG_DEVICE plume_device)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE plume_options ${ARG_LINKS})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(${name} PRIVATE plume_${used})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_DEVICE})
endfunction()
