// GDAL's objects with their endings assured, and its errors kept as text for our own messages.
#pragma once

#include <memory>
#include <string>

#include "data/formats/gdal_api.hpp"

namespace plume::data {

// While it lives, what GDAL would print in this thread is kept instead.
class GdalErrors {
 public:
  GdalErrors();
  ~GdalErrors();
  GdalErrors(const GdalErrors&) = delete;
  GdalErrors& operator=(const GdalErrors&) = delete;

  // Whether there was an error (not a warning) since construction.
  [[nodiscard]] bool any() const { return !first_.empty(); }

  // The first such message, on one line; "unknown reason" where none.
  [[nodiscard]] std::string text() const;

 private:
  std::string first_;
};

struct GdalClose {
  void operator()(void* dataset) const { gdal().close(dataset); }
};
using GdalDataset = std::unique_ptr<void, GdalClose>;

}  // namespace plume::data
