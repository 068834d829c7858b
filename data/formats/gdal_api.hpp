// GDAL's functions, found in the library when first used: what reads and writes no image starts without it and the
// hundred libraries that it brings along. Its headers serve for types alone.
#pragma once

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <gdal_alg.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>

#include <string>
#include <vector>

namespace plume::data {

struct GdalApi {
  decltype(GDALVersionInfo)* version_info;
  decltype(GDALAllRegister)* all_register;
  decltype(GDALGetDriverByName)* get_driver_by_name;
  decltype(CPLSetConfigOption)* set_config_option;

  decltype(CPLPushErrorHandlerEx)* push_error_handler;
  decltype(CPLPopErrorHandler)* pop_error_handler;
  decltype(CPLGetErrorHandlerUserData)* get_error_handler_user_data;
  decltype(CPLErrorReset)* error_reset;

  decltype(GDALOpenEx)* open;
  decltype(GDALCreate)* create;
  decltype(GDALCreateCopy)* create_copy;
  decltype(GDALFlushCache)* flush_cache;
  decltype(GDALClose)* close;
  decltype(GDALGetRasterXSize)* get_raster_x_size;
  decltype(GDALGetRasterYSize)* get_raster_y_size;
  decltype(GDALGetRasterCount)* get_raster_count;
  decltype(GDALGetRasterBand)* get_raster_band;
  decltype(GDALGetProjectionRef)* get_projection_ref;
  decltype(GDALSetProjection)* set_projection;
  decltype(GDALGetGeoTransform)* get_geo_transform;
  decltype(GDALSetGeoTransform)* set_geo_transform;
  decltype(GDALDatasetRasterIO)* dataset_raster_io;

  decltype(GDALRasterIO)* raster_io;
  decltype(GDALGetRasterDataType)* get_raster_data_type;
  decltype(GDALGetRasterColorInterpretation)* get_raster_color_interpretation;
  decltype(GDALGetRasterNoDataValue)* get_raster_no_data_value;
  decltype(GDALDataTypeIsComplex)* data_type_is_complex;
  decltype(GDALGetDataTypeSizeBytes)* get_data_type_size_bytes;

  decltype(VSIFree)* free;

  decltype(GDALDatasetGetLayerCount)* dataset_get_layer_count;
  decltype(GDALDatasetGetLayer)* dataset_get_layer;
  decltype(OGR_L_GetName)* layer_get_name;
  decltype(OGR_L_GetSpatialRef)* layer_get_spatial_ref;
  decltype(OGR_L_ResetReading)* layer_reset_reading;
  decltype(OGR_L_GetNextFeature)* layer_get_next_feature;
  decltype(OGR_L_GetLayerDefn)* layer_get_definition;
  decltype(OGR_L_CreateField)* layer_create_field;
  decltype(OGR_L_CreateFeature)* layer_add_feature;
  decltype(GDALDatasetCreateLayer)* dataset_create_layer;

  decltype(OGR_Fld_Create)* create_field;
  decltype(OGR_Fld_SetWidth)* field_set_width;
  decltype(OGR_Fld_Destroy)* destroy_field;

  decltype(OGR_F_GetFID)* feature_get_fid;
  decltype(OGR_F_GetFieldIndex)* feature_get_field_index;
  decltype(OGR_F_GetFieldAsString)* feature_get_field_as_string;
  decltype(OGR_F_GetFieldAsDouble)* feature_get_field_as_double;
  decltype(OGR_F_Create)* create_feature;
  decltype(OGR_F_SetFieldString)* feature_set_string;
  decltype(OGR_F_SetGeometryDirectly)* feature_set_geometry_directly;
  decltype(OGR_F_GetGeometryRef)* feature_get_geometry_ref;
  decltype(OGR_F_Destroy)* feature_destroy;

  decltype(OGR_GT_Flatten)* geometry_flat_type;
  decltype(OGR_G_GetGeometryType)* geometry_get_geometry_type;
  decltype(OGR_G_GetGeometryCount)* geometry_get_geometry_count;
  decltype(OGR_G_GetGeometryRef)* geometry_get_geometry_ref;
  decltype(OGR_G_GetPointCount)* geometry_get_point_count;
  decltype(OGR_G_GetX)* geometry_get_x;
  decltype(OGR_G_GetY)* geometry_get_y;
  decltype(OGR_G_CreateGeometry)* create_geometry;
  decltype(OGR_G_AddPoint_2D)* geometry_add_point;
  decltype(OGR_G_AddGeometryDirectly)* geometry_add_geometry_directly;
  decltype(OGR_G_DestroyGeometry)* destroy_geometry;
  decltype(OGR_G_SimplifyPreserveTopology)* geometry_simplify;
  decltype(GDALRasterizeGeometries)* rasterize_geometries;
  decltype(GDALContourGenerateEx)* contour_generate;

  decltype(OSRNewSpatialReference)* new_spatial_reference;
  decltype(OSRDestroySpatialReference)* destroy_spatial_reference;
  decltype(OSRSetFromUserInput)* set_from_user_input;
  decltype(OSRSetAxisMappingStrategy)* set_axis_mapping_strategy;
  decltype(OSRExportToWkt)* export_to_wkt;
  decltype(OCTNewCoordinateTransformation)* new_coordinate_transformation;
  decltype(OCTDestroyCoordinateTransformation)* destroy_coordinate_transformation;
  decltype(OCTTransformEx)* transform;
  decltype(OSRIsGeographic)* is_geographic;
};

// The functions of the first of `names` (file names to search for, or paths) that can be opened.
// Throws environment_error, with what to install, where none can, and where one lacks a function.
[[nodiscard]] GdalApi open_gdal(const std::vector<std::string>& names);

// The GDAL that plume was built with, its drivers registered; opened by the first call. Thread-safe.
// Throws as open_gdal.
[[nodiscard]] const GdalApi& gdal();

}  // namespace plume::data
