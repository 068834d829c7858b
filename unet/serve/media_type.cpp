// A small scanner for header values: tokens, quoted strings, lists.
#include "unet/serve/media_type.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

bool is_token(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || others.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() {
    skip_space();
    return at_ == text_.size();
  }

  bool accept(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  // Empty where there is none.
  std::string_view token() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_token(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  std::optional<std::string> value() {
    if (at_ == text_.size() || text_[at_] != '"') {
      const std::string_view plain = token();
      return plain.empty() ? std::nullopt : std::optional<std::string>(plain);
    }
    std::string unquoted;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) return std::nullopt;
      unquoted += text_[at_];
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return unquoted;
  }

  std::optional<MediaType> media_type() {
    skip_space();
    const std::string type = lower(token());
    std::string subtype;
    if (at_ < text_.size() && text_[at_] == '/') {
      ++at_;
      subtype = lower(token());
    } else if (type == "*") {
      subtype = type;  // as Java's clients write it: "*; q=.2"
    }
    if (type.empty() || subtype.empty() || (type == "*" && subtype != "*")) return std::nullopt;
    MediaType found{type + "/" + subtype, {}};
    while (accept(';')) {
      skip_space();
      const std::string name = lower(token());
      if (name.empty()) continue;  // RFC 9110 lets "; ;" pass
      if (at_ == text_.size() || text_[at_] != '=') return std::nullopt;
      ++at_;
      auto text = value();
      if (!text) return std::nullopt;
      found.parameters.emplace_back(name, std::move(*text));
    }
    return found;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Takes q and what follows it from the parameters.
std::optional<double> take_quality(MediaType& type) {
  const auto at =
      std::find_if(type.parameters.begin(), type.parameters.end(), [](const auto& p) { return p.first == "q"; });
  if (at == type.parameters.end()) return 1;
  double quality = 0;
  const std::string& text = at->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quality, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(quality >= 0 && quality <= 1)) return std::nullopt;
  type.parameters.erase(at, type.parameters.end());
  return quality;
}

// How closely an entry describes a type: not at all (0), as any, as one of a kind, by its name, with parameters too.
std::size_t closeness(const MediaType& entry, std::string_view offered) {
  if (entry.name == "*/*") return 1;
  if (entry.name.ends_with("/*")) return offered.starts_with(entry.name.substr(0, entry.name.size() - 1)) ? 2 : 0;
  return entry.name == offered ? 3 + entry.parameters.size() : 0;
}

}  // namespace

std::string_view MediaType::parameter(std::string_view wanted) const {
  for (const auto& [name, value] : parameters) {
    if (name == wanted) return value;
  }
  return {};
}

std::optional<MediaType> parse_media_type(std::string_view text) {
  Scanner scanner(text);
  auto type = scanner.media_type();
  return scanner.at_end() ? type : std::nullopt;
}

std::vector<AcceptedType> parse_accept(std::string_view text) {
  const auto malformed = request_error(Status::bad_request, "Accept is no list of media types");
  Scanner scanner(text);
  std::vector<AcceptedType> accepted;
  while (!scanner.at_end()) {
    if (scanner.accept(',')) continue;
    auto type = scanner.media_type();
    if (!type) throw malformed;
    const auto quality = take_quality(*type);
    if (!quality) throw malformed;
    accepted.push_back({std::move(*type), *quality});
    if (!scanner.at_end() && !scanner.accept(',')) throw malformed;
  }
  return accepted;
}

std::optional<MediaType> choose_type(const std::vector<AcceptedType>& accepted,
                                     std::span<const std::string_view> offered) {
  if (accepted.empty()) return MediaType{std::string(offered.front()), {}};
  std::optional<MediaType> best;
  double best_quality = 0;
  for (const std::string_view offer : offered) {
    const AcceptedType* closest = nullptr;
    std::pair<std::size_t, double> rank{0, 0};
    for (const AcceptedType& entry : accepted) {
      const std::pair<std::size_t, double> its{closeness(entry.type, offer), entry.quality};
      if (its.first > 0 && its > rank) {
        closest = &entry;
        rank = its;
      }
    }
    if (closest != nullptr && closest->quality > best_quality) {
      best = MediaType{std::string(offer), closest->type.parameters};
      best_quality = closest->quality;
    }
  }
  return best;
}

}  // namespace plume::serve
