// Opens libgdal and registers its drivers.
#include "data/formats/gdal_api.hpp"

#include <cstdlib>

#include "kernels/base/dynamic_library.hpp"

namespace plume::data {
namespace {

GdalApi open_and_register() {
  // First as the loader finds it, then where it was when plume was configured.
  const GdalApi api = open_gdal({PLUME_GDAL_LIBRARY, PLUME_GDAL_FOLDER "/" PLUME_GDAL_LIBRARY});
  // A truncated JPEG is an error, not grey below the break.
  api.set_config_option("GDAL_ERROR_ON_LIBJPEG_WARNING", "YES");
  // Blocks of large images are read and written once, from above; a twentieth of the machine's memory would hold most
  // of them.
  if (std::getenv("GDAL_CACHEMAX") == nullptr) api.set_config_option("GDAL_CACHEMAX", "256MB");
  api.all_register();
  return api;
}

}  // namespace

GdalApi open_gdal(const std::vector<std::string>& names) {
  const auto library = DynamicLibrary::open(names);
  if (!library) {
    throw environment_error(
        "GDAL, which reads images and writes .tif, cannot be opened ({}); install the package libgdal-dev, or use .npy",
        DynamicLibrary::last_failure());
  }
  GdalApi api{};
  library->find(api.version_info, "GDALVersionInfo");
  library->find(api.all_register, "GDALAllRegister");
  library->find(api.get_driver_by_name, "GDALGetDriverByName");
  library->find(api.set_config_option, "CPLSetConfigOption");
  library->find(api.push_error_handler, "CPLPushErrorHandlerEx");
  library->find(api.pop_error_handler, "CPLPopErrorHandler");
  library->find(api.get_error_handler_user_data, "CPLGetErrorHandlerUserData");
  library->find(api.error_reset, "CPLErrorReset");
  library->find(api.open, "GDALOpenEx");
  library->find(api.create, "GDALCreate");
  library->find(api.create_copy, "GDALCreateCopy");
  library->find(api.flush_cache, "GDALFlushCache");
  library->find(api.close, "GDALClose");
  library->find(api.get_raster_x_size, "GDALGetRasterXSize");
  library->find(api.get_raster_y_size, "GDALGetRasterYSize");
  library->find(api.get_raster_count, "GDALGetRasterCount");
  library->find(api.get_raster_band, "GDALGetRasterBand");
  library->find(api.get_projection_ref, "GDALGetProjectionRef");
  library->find(api.set_projection, "GDALSetProjection");
  library->find(api.get_geo_transform, "GDALGetGeoTransform");
  library->find(api.set_geo_transform, "GDALSetGeoTransform");
  library->find(api.dataset_raster_io, "GDALDatasetRasterIO");
  library->find(api.raster_io, "GDALRasterIO");
  library->find(api.get_raster_data_type, "GDALGetRasterDataType");
  library->find(api.get_raster_color_interpretation, "GDALGetRasterColorInterpretation");
  library->find(api.get_raster_no_data_value, "GDALGetRasterNoDataValue");
  library->find(api.data_type_is_complex, "GDALDataTypeIsComplex");
  library->find(api.get_data_type_size_bytes, "GDALGetDataTypeSizeBytes");
  library->find(api.free, "VSIFree");
  library->find(api.dataset_get_layer_count, "GDALDatasetGetLayerCount");
  library->find(api.dataset_get_layer, "GDALDatasetGetLayer");
  library->find(api.layer_get_name, "OGR_L_GetName");
  library->find(api.layer_get_spatial_ref, "OGR_L_GetSpatialRef");
  library->find(api.layer_reset_reading, "OGR_L_ResetReading");
  library->find(api.layer_get_next_feature, "OGR_L_GetNextFeature");
  library->find(api.layer_get_definition, "OGR_L_GetLayerDefn");
  library->find(api.layer_create_field, "OGR_L_CreateField");
  library->find(api.layer_add_feature, "OGR_L_CreateFeature");
  library->find(api.dataset_create_layer, "GDALDatasetCreateLayer");
  library->find(api.create_field, "OGR_Fld_Create");
  library->find(api.field_set_width, "OGR_Fld_SetWidth");
  library->find(api.destroy_field, "OGR_Fld_Destroy");
  library->find(api.feature_get_fid, "OGR_F_GetFID");
  library->find(api.feature_get_field_index, "OGR_F_GetFieldIndex");
  library->find(api.feature_get_field_as_string, "OGR_F_GetFieldAsString");
  library->find(api.feature_get_field_as_double, "OGR_F_GetFieldAsDouble");
  library->find(api.create_feature, "OGR_F_Create");
  library->find(api.feature_set_string, "OGR_F_SetFieldString");
  library->find(api.feature_set_geometry_directly, "OGR_F_SetGeometryDirectly");
  library->find(api.feature_get_geometry_ref, "OGR_F_GetGeometryRef");
  library->find(api.feature_destroy, "OGR_F_Destroy");
  library->find(api.geometry_flat_type, "OGR_GT_Flatten");
  library->find(api.geometry_get_geometry_type, "OGR_G_GetGeometryType");
  library->find(api.geometry_get_geometry_count, "OGR_G_GetGeometryCount");
  library->find(api.geometry_get_geometry_ref, "OGR_G_GetGeometryRef");
  library->find(api.geometry_get_point_count, "OGR_G_GetPointCount");
  library->find(api.geometry_get_x, "OGR_G_GetX");
  library->find(api.geometry_get_y, "OGR_G_GetY");
  library->find(api.create_geometry, "OGR_G_CreateGeometry");
  library->find(api.geometry_add_point, "OGR_G_AddPoint_2D");
  library->find(api.geometry_add_geometry_directly, "OGR_G_AddGeometryDirectly");
  library->find(api.destroy_geometry, "OGR_G_DestroyGeometry");
  library->find(api.geometry_simplify, "OGR_G_SimplifyPreserveTopology");
  library->find(api.rasterize_geometries, "GDALRasterizeGeometries");
  library->find(api.contour_generate, "GDALContourGenerateEx");
  library->find(api.new_spatial_reference, "OSRNewSpatialReference");
  library->find(api.destroy_spatial_reference, "OSRDestroySpatialReference");
  library->find(api.set_from_user_input, "OSRSetFromUserInput");
  library->find(api.set_axis_mapping_strategy, "OSRSetAxisMappingStrategy");
  library->find(api.export_to_wkt, "OSRExportToWkt");
  library->find(api.new_coordinate_transformation, "OCTNewCoordinateTransformation");
  library->find(api.destroy_coordinate_transformation, "OCTDestroyCoordinateTransformation");
  library->find(api.transform, "OCTTransformEx");
  library->find(api.is_geographic, "OSRIsGeographic");
  return api;
}

const GdalApi& gdal() {
  static const GdalApi instance = open_and_register();
  return instance;
}

}  // namespace plume::data
