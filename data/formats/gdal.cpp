// GDAL's error handler.
#include "data/formats/gdal.hpp"

namespace plume::data {
namespace {

void CPL_STDCALL keep_first(CPLErr severity, CPLErrorNum, const char* message) {
  auto* first = static_cast<std::string*>(gdal().get_error_handler_user_data());
  if (severity >= CE_Failure && first->empty()) *first = *message != '\0' ? message : "unknown reason";
}

}  // namespace

GdalErrors::GdalErrors() {
  gdal().push_error_handler(keep_first, &first_);
}

GdalErrors::~GdalErrors() {
  gdal().pop_error_handler();
  gdal().error_reset();
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
