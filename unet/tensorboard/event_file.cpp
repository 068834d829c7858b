// The few fields of three messages in protobuf's wire format (https://protobuf.dev/programming-guides/encoding).
#include "unet/tensorboard/event_file.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <climits>
#include <string>

#include "kernels/base/crc32c.hpp"
#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

// Numbers of fields.
enum EventField : unsigned { wall_time = 1, step_of = 2, file_version = 3, summary = 5, session_log = 7 };
enum SummaryField : unsigned { value_of = 1 };
enum ValueField : unsigned { tag_of = 1, simple_value = 2, image_of = 4 };
enum ImageField : unsigned { image_height = 1, image_width = 2, image_colorspace = 3, encoded_image = 4 };
enum SessionLogField : unsigned { session_status = 1 };
constexpr unsigned session_start = 1;
constexpr unsigned rgb = 3;

template <class Integer>
void append_little_endian(std::string& text, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
}

class Message {
 public:
  Message& number(unsigned field, std::uint64_t value) {
    key(field, 0);
    varint(value);
    return *this;
  }
  Message& real(unsigned field, double value) {
    key(field, 1);
    append_little_endian(text_, std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real(unsigned field, float value) {
    key(field, 5);
    append_little_endian(text_, std::bit_cast<std::uint32_t>(value));
    return *this;
  }
  Message& bytes(unsigned field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    text_ += value;
    return *this;
  }
  Message& message(unsigned field, const Message& value) { return bytes(field, value.text_); }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void key(unsigned field, unsigned kind) { varint(field << 3 | kind); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }

  std::string text_;
};

Message event_at(std::int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return Message().real(wall_time, now.count()).number(step_of, static_cast<std::uint64_t>(step));
}

Message with_value(std::int64_t step, const Message& value) {
  return event_at(step).message(summary, Message().message(value_of, value));
}

std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(bytes)));
  return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = "";
  return ::gethostname(name, sizeof name) == 0 ? name : "localhost";
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t first_step) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  const auto path = folder / fmt::format("events.out.tfevents.{}.{}.{}", seconds, host_name(), ::getpid());
  file_.open(path, std::ios::binary);
  if (!file_) throw environment_error("cannot write {}", path.string());
  write(event_at(0).bytes(file_version, "brain.Event:2").text());
  write(event_at(first_step).message(session_log, Message().number(session_status, session_start)).text());
}

void EventFile::scalar(std::int64_t step, std::string_view tag, double value) {
  write(with_value(step, Message().bytes(tag_of, tag).real(simple_value, static_cast<float>(value))).text());
}

void EventFile::image(std::int64_t step, std::string_view tag, int height, int width, std::span<const std::byte> png) {
  const Message image = Message()
                            .number(image_height, static_cast<std::uint64_t>(height))
                            .number(image_width, static_cast<std::uint64_t>(width))
                            .number(image_colorspace, rgb)
                            .bytes(encoded_image, {reinterpret_cast<const char*>(png.data()), png.size()});
  write(with_value(step, Message().bytes(tag_of, tag).message(image_of, image)).text());
}

void EventFile::write(std::string_view event) {
  std::string record;
  append_little_endian(record, std::uint64_t{event.size()});
  append_little_endian(record, masked_crc(record));
  record += event;
  append_little_endian(record, masked_crc(event));
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  file_.flush();
  if (!file_) throw environment_error("cannot write TensorBoard's events: is the disk full?");
}

}  // namespace plume::unet
