// Numbers by std::to_chars into text that has room for all of them.
#include "unet/serve/encode_json.hpp"

#include <charconv>
#include <cstddef>
#include <string_view>

namespace plume::serve {
namespace {

constexpr std::size_t longest_number = 16;  // "-1.17549435e-38" and a comma

class Writer {
 public:
  explicit Writer(const Probabilities& probabilities)
      : probabilities_(probabilities), next_value_(probabilities.values.data()) {
    const auto images = static_cast<std::size_t>(probabilities.images);
    const auto rows = images * static_cast<std::size_t>(probabilities.height);
    const auto pixels = rows * static_cast<std::size_t>(probabilities.width);
    constexpr std::size_t frame = 3;  // two brackets and a comma
    text_.resize(64 + probabilities.values.size() * longest_number + frame * (images + rows + pixels));
    at_ = text_.data();
  }

  std::string text() {
    put("{\"predictions\": ");
    list(probabilities_.images, [&] {
      list(probabilities_.height,
           [&] { list(probabilities_.width, [&] { list(probabilities_.classes, [&] { number(*next_value_++); }); }); });
    });
    put("}");
    text_.resize(static_cast<std::size_t>(at_ - text_.data()));
    return std::move(text_);
  }

 private:
  void put(std::string_view text) {
    for (const char c : text) *at_++ = c;
  }

  void number(float value) { at_ = std::to_chars(at_, at_ + longest_number, value).ptr; }

  template <class Element>
  void list(int count, const Element& element) {
    *at_++ = '[';
    for (int i = 0; i < count; ++i) {
      if (i > 0) *at_++ = ',';
      element();
    }
    *at_++ = ']';
  }

  const Probabilities& probabilities_;
  const float* next_value_;
  std::string text_;
  char* at_ = nullptr;
};

}  // namespace

std::string encode_json(const Probabilities& probabilities) {
  return Writer(probabilities).text();
}

}  // namespace plume::serve
