// Bodies from memory.
#include "cloud/http/message.hpp"

#include <algorithm>
#include <cstring>

namespace plume::cloud {

std::size_t TextBody::read(std::span<std::byte> into) {
  const std::size_t size = std::min(into.size(), text_.size() - at_);
  if (size > 0) std::memcpy(into.data(), text_.data() + at_, size);
  at_ += size;
  return size;
}

std::string_view HttpResponse::header(std::string_view name) const {
  const std::string* const value = find_header(headers, name);
  return value == nullptr ? std::string_view() : std::string_view(*value);
}

}  // namespace plume::cloud
