// Opens libnetcdf. Its HDF5 is a shared library of its own; plume's is linked statically and exports no symbol, so the
// two do not meet (tests/data/netcdf_test.cpp).
#include "data/formats/netcdf_api.hpp"

#include "kernels/base/dynamic_library.hpp"

namespace plume::data {

NetcdfApi open_netcdf(const std::vector<std::string>& names) {
  const auto library = DynamicLibrary::open(names);
  if (!library) {
    throw environment_error(
        "NetCDF-C, which reads and writes .nc, cannot be opened ({}); install the package libnetcdf-dev",
        DynamicLibrary::last_failure());
  }
  NetcdfApi api{};
  library->find(api.version_info, "nc_inq_libvers");
  library->find(api.error_text, "nc_strerror");
  library->find(api.set_error_printer, "H5Eset_auto2");
  library->find(api.open, "nc_open");
  library->find(api.create, "nc_create");
  library->find(api.end_definitions, "nc_enddef");
  library->find(api.close, "nc_close");
  library->find(api.abort, "nc_abort");
  library->find(api.find_dimension, "nc_inq_dimid");
  library->find(api.dimension_length, "nc_inq_dimlen");
  library->find(api.find_variable, "nc_inq_varid");
  library->find(api.describe_variable, "nc_inq_var");
  library->find(api.describe_chunking, "nc_inq_var_chunking");
  library->find(api.describe_attribute, "nc_inq_att");
  library->find(api.get, "nc_get_var");
  library->find(api.get_double, "nc_get_var_double");
  library->find(api.get_part, "nc_get_vara");
  library->find(api.get_attribute_double, "nc_get_att_double");
  library->find(api.get_attribute_text, "nc_get_att_text");
  library->find(api.get_attribute_string, "nc_get_att_string");
  library->find(api.free_string, "nc_free_string");
  library->find(api.define_dimension, "nc_def_dim");
  library->find(api.define_variable, "nc_def_var");
  library->find(api.define_chunking, "nc_def_var_chunking");
  library->find(api.define_deflate, "nc_def_var_deflate");
  library->find(api.define_fill, "nc_def_var_fill");
  library->find(api.put, "nc_put_var");
  library->find(api.put_part, "nc_put_vara");
  library->find(api.put_attribute, "nc_put_att");
  library->find(api.put_attribute_text, "nc_put_att_text");
  return api;
}

const NetcdfApi& netcdf() {
  static const NetcdfApi instance = open_netcdf({PLUME_NETCDF_LIBRARY, PLUME_NETCDF_FOLDER "/" PLUME_NETCDF_LIBRARY});
  return instance;
}

}  // namespace plume::data
