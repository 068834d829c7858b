// Percent-encoded, with %20 for a blank.
#include "cloud/protocols/query.hpp"

#include "cloud/signing/percent.hpp"

namespace plume::cloud {

Form& Form::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += percent_encode(name);
  text_ += '=';
  text_ += percent_encode(value);
  return *this;
}

}  // namespace plume::cloud
