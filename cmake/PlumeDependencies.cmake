# What plume stands on. Every package is a Debian/Ubuntu -dev package; the list with its names is in cmake/packages.txt.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
# Its shared library brings 30 others along, which the loader would open at every start.
set(HDF5_USE_STATIC_LIBRARIES ON)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(PNG REQUIRED)
find_package(GDAL MODULE REQUIRED)
if(PLUME_TESTS)
  find_package(GTest REQUIRED)
endif()
if(PLUME_BENCH)
  find_package(benchmark REQUIRED)
endif()

# One name for each, whatever its own CMake files export.
add_library(plume_hdf5 INTERFACE)
target_include_directories(plume_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(plume_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
target_compile_definitions(plume_hdf5 INTERFACE ${HDF5_C_DEFINITIONS})

# GDAL is opened when first used (data/gdal_api.hpp), so the build needs its headers, the name by which the loader knows
# it, and the folder it was in as the second place to look.
execute_process(COMMAND "${CMAKE_READELF}" -d "${GDAL_LIBRARY}" OUTPUT_VARIABLE dynamic_section)
if(NOT dynamic_section MATCHES "\\(SONAME\\)[^\n]*\\[([^]\n]+)\\]")
  message(FATAL_ERROR "${GDAL_LIBRARY} is no shared library with a SONAME; install libgdal-dev")
endif()
set(gdal_name "${CMAKE_MATCH_1}")
get_filename_component(gdal_folder "${GDAL_LIBRARY}" DIRECTORY)
add_library(plume_gdal INTERFACE)
target_include_directories(plume_gdal SYSTEM INTERFACE ${GDAL_INCLUDE_DIR})
target_compile_definitions(plume_gdal INTERFACE
  PLUME_GDAL_LIBRARY="${gdal_name}" PLUME_GDAL_FOLDER="${gdal_folder}")
