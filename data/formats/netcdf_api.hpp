// NetCDF-C's functions, found in the library when first used: what reads and writes no satellite file starts without
// it. Its headers serve for types alone.
#pragma once

#include <hdf5.h>
#include <netcdf.h>

#include <string>
#include <vector>

namespace plume::data {

struct NetcdfApi {
  decltype(nc_inq_libvers)* version_info;
  decltype(nc_strerror)* error_text;
  decltype(H5Eset_auto2)* set_error_printer;  // of the HDF5 that it brings along

  decltype(nc_open)* open;
  decltype(nc_create)* create;
  decltype(nc_enddef)* end_definitions;
  decltype(nc_close)* close;
  decltype(nc_abort)* abort;

  decltype(nc_inq_dimid)* find_dimension;
  decltype(nc_inq_dimlen)* dimension_length;
  decltype(nc_inq_varid)* find_variable;
  decltype(nc_inq_var)* describe_variable;
  decltype(nc_inq_var_chunking)* describe_chunking;
  decltype(nc_inq_att)* describe_attribute;

  decltype(nc_get_var)* get;
  decltype(nc_get_var_double)* get_double;
  decltype(nc_get_vara)* get_part;
  decltype(nc_get_att_double)* get_attribute_double;
  decltype(nc_get_att_text)* get_attribute_text;
  decltype(nc_get_att_string)* get_attribute_string;
  decltype(nc_free_string)* free_string;

  decltype(nc_def_dim)* define_dimension;
  decltype(nc_def_var)* define_variable;
  decltype(nc_def_var_chunking)* define_chunking;
  decltype(nc_def_var_deflate)* define_deflate;
  decltype(nc_def_var_fill)* define_fill;
  decltype(nc_put_var)* put;
  decltype(nc_put_vara)* put_part;
  decltype(nc_put_att)* put_attribute;
  decltype(nc_put_att_text)* put_attribute_text;
};

// The functions of the first of `names` (file names to search for, or paths) that can be opened.
// Throws environment_error, with what to install, where none can, and where one lacks a function.
[[nodiscard]] NetcdfApi open_netcdf(const std::vector<std::string>& names);

// The NetCDF-C that plume was built with, opened by the first call, which is thread-safe. What it returns is not:
// netcdf.hpp has the lock for its functions.
// Throws as open_netcdf.
[[nodiscard]] const NetcdfApi& netcdf();

}  // namespace plume::data
