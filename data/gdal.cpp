// GDAL's registration and its error handler.
#include "data/gdal.hpp"

#include <cpl_conv.h>
#include <cpl_error.h>

#include <mutex>

namespace plume::data {
namespace {

void CPL_STDCALL keep_first(CPLErr severity, CPLErrorNum, const char* message) {
  auto* first = static_cast<std::string*>(CPLGetErrorHandlerUserData());
  if (severity >= CE_Failure && first->empty()) *first = *message != '\0' ? message : "unknown reason";
}

}  // namespace

void ensure_gdal() {
  static std::once_flag once;
  std::call_once(once, [] {
    // A truncated JPEG is an error, not grey below the break.
    CPLSetConfigOption("GDAL_ERROR_ON_LIBJPEG_WARNING", "YES");
    GDALAllRegister();
  });
}

GdalErrors::GdalErrors() {
  CPLPushErrorHandlerEx(keep_first, &first_);
}

GdalErrors::~GdalErrors() {
  CPLPopErrorHandler();
  CPLErrorReset();
}

std::string GdalErrors::text() const {
  if (first_.empty()) return "unknown reason";
  auto line = first_.substr(0, 200);
  for (auto& character : line) {
    if (static_cast<unsigned char>(character) < ' ') character = ' ';
  }
  return line;
}

}  // namespace plume::data
