// simdjson's on-demand parser, which hands out one number after the other: they go straight to the pixels.
#include "unet/serve/decode_json.hpp"

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

namespace ondemand = simdjson::ondemand;

RequestError malformed(std::string_view what) {
  return request_error(Status::bad_request, "the body is no JSON of nested lists of numbers: {}", what);
}

void check(simdjson::error_code error) {
  if (error != simdjson::SUCCESS) throw malformed(simdjson::error_message(error));
}

// Reads lists in lists. The first list of each depth says how long all of that depth are.
class TensorReader {
 public:
  explicit TensorReader(const DecodeLimits& limits) : limits_(limits) {}

  void read(ondemand::array list) { read_list(list, 0); }

  [[nodiscard]] ImageBatch batch() {
    ImageBatch batch = batch_of_shape({shape_.begin(), shape_.begin() + depths_}, limits_);
    batch.pixels = std::move(values_);
    return batch;
  }

 private:
  void read_list(ondemand::array list, std::size_t depth) {
    if (depth == static_cast<std::size_t>(depths_)) open_depth();
    std::int64_t count = 0;
    if (depth + 1 == numbers_at_) {
      count = read_numbers(list);
    } else {
      for (auto element : list) {
        ondemand::value value;
        check(element.get(value));
        // Of the first elements all the way down it is not known yet whether they are lists.
        if (numbers_at_ == 0 && !is_list(value)) {
          numbers_at_ = depth + 1;
          read_number(value);
        } else if (depth + 1 == numbers_at_) {
          read_number(value);
        } else {
          ondemand::array inner;
          check(value.get_array().get(inner));
          read_list(inner, depth + 1);
        }
        ++count;
      }
    }
    close_list(depth, count);
  }

  std::int64_t read_numbers(ondemand::array list) {
    std::int64_t count = 0;
    for (auto element : list) {
      double number = 0;
      check(element.get_double().get(number));
      keep(number);
      ++count;
    }
    return count;
  }

  void read_number(ondemand::value value) {
    double number = 0;
    check(value.get_double().get(number));
    keep(number);
  }

  void keep(double number) {
    if (values_.size() == limits_.values) {
      throw request_error(Status::content_too_large, "a request may have {} numbers at most", limits_.values);
    }
    values_.push_back(static_cast<float>(number));
  }

  static bool is_list(ondemand::value& value) {
    ondemand::json_type type{};
    check(value.type().get(type));
    return type == ondemand::json_type::array;
  }

  void open_depth() {
    if (depths_ == std::ssize(shape_)) {
      throw request_error(Status::unprocessable_content, "lists are nested deeper than [image][row][column][band]");
    }
    shape_[static_cast<std::size_t>(depths_++)] = unknown;
  }

  void close_list(std::size_t depth, std::int64_t count) {
    if (shape_[depth] == unknown) shape_[depth] = count;
    if (shape_[depth] != count) {
      throw malformed(fmt::format("lists of one depth have {} elements, and {}", shape_[depth], count));
    }
  }

  static constexpr std::int64_t unknown = -1;
  const DecodeLimits& limits_;
  std::array<std::int64_t, 4> shape_{};
  std::ptrdiff_t depths_ = 0;   // of shape_, that are known
  std::size_t numbers_at_ = 0;  // the depth of the numbers; 0 while it is not known
  std::vector<float> values_;
};

void read_object(ondemand::object object, TensorReader& reader) {
  bool found = false;
  for (auto field : object) {
    std::string_view key;
    check(field.unescaped_key().get(key));
    if (key == "signature_name") {
      std::string_view ignored;
      check(field.value().get_string().get(ignored));
    } else if (key == "instances") {
      if (found) throw malformed("\"instances\" stands there twice");
      found = true;
      ondemand::array list;
      check(field.value().get_array().get(list));
      reader.read(list);
    } else {
      throw malformed(fmt::format("\"{}\" is no key of a request, \"instances\" is", key));
    }
  }
  if (!found) throw malformed("\"instances\" is missing");
}

}  // namespace

ImageBatch decode_json(std::string& text, const DecodeLimits& limits) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  ondemand::parser parser;
  ondemand::document document;
  check(parser.iterate(text.data(), text.size(), text.capacity()).get(document));
  ondemand::json_type type{};
  check(document.type().get(type));
  TensorReader reader(limits);
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    check(document.get_object().get(object));
    read_object(object, reader);
  } else {
    ondemand::array list;
    check(document.get_array().get(list));
    reader.read(list);
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    throw malformed("something follows behind its end");
  }
  return reader.batch();
}

}  // namespace plume::serve
