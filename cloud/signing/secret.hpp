// A password, key or token: wiped when it goes, and without any way to print it by accident.
#pragma once

#include <cstddef>
#include <cstring>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace plume::cloud {

// Overwrites memory; no compiler takes it away.
void wipe(void* memory, std::size_t size) noexcept;
inline void wipe(std::string& text) noexcept {
  wipe(text.data(), text.size());
  text.clear();
}

// On the heap even when short, so that moving it leaves no copy behind, and nothing that dumps the object shows it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text)
      : bytes_(text.empty() ? nullptr : std::make_unique<char[]>(text.size())), size_(text.size()) {
    if (bytes_) std::memcpy(bytes_.get(), text.data(), size_);
  }
  // Takes over what a string holds, and wipes the string.
  static Secret take(std::string&& text) {
    Secret secret{std::string_view(text)};
    wipe(text);
    return secret;
  }
  Secret(const Secret& other) : Secret(other.reveal()) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Secret() {
    if (bytes_) wipe(bytes_.get(), size_);
  }

  // The only way to its bytes: search for this word to see who reads secrets.
  [[nodiscard]] std::string_view reveal() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool operator==(const Secret& other) const noexcept { return reveal() == other.reveal(); }
  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

}  // namespace plume::cloud
