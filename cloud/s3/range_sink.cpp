// What comes must be what was asked for.
#include "cloud/s3/range_sink.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "cloud/http/transport.hpp"
#include "kernels/base/crc32c.hpp"

namespace plume::cloud {
namespace {

// Takes a number from the front; false: there is none.
bool take_number(std::string_view& text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, std::string_view literal) {
  if (!text.starts_with(literal)) return false;
  text.remove_prefix(literal.size());
  return true;
}

template <class Add>
void for_each_piece(const LocalFile& file, std::uint64_t offset, std::uint64_t size, const Add& add) {
  FileBody body(file, offset, size);
  std::vector<std::byte> buffer(256UL * 1024);
  while (const std::size_t got = body.read(buffer)) add(std::span<const std::byte>(buffer).first(got));
}

}  // namespace

void RangeSink::begin(const HttpResponse& head) {
  size_ = 0;
  crc32c_ = 0;
  etag_ = head.header("etag");
  if (etag_.empty()) throw cloud_error(Failure::failed, "{}: the answer holds no ETag", what_);
  if (head.status == 206) return read_content_range(head);
  // A server that knows no ranges sends the whole object.
  if (first_ != 0) throw cloud_error(Failure::failed, "{}: the server answers a range with the whole object", what_);
  std::string_view length = head.header("content-length");
  if (!take_number(length, total_)) throw cloud_error(Failure::failed, "{}: the answer holds no Content-Length", what_);
  expected_ = total_;
}

void RangeSink::read_content_range(const HttpResponse& head) {
  std::string_view text = head.header("content-range");
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const bool read = take(text, "bytes ") && take_number(text, first) && take(text, "-") && take_number(text, last) &&
                    take(text, "/") && take_number(text, total_);
  if (!read || first != first_ || last != std::min(last_, total_ - 1))
    throw cloud_error(Failure::failed, "{}: asked for bytes {}-{}, the answer holds Content-Range {}", what_, first_,
                      last_, head.header("content-range"));
  expected_ = last - first + 1;
}

void RangeSink::write(std::span<const std::byte> bytes) {
  if (size_ + bytes.size() > expected_)
    throw TransportError(TransportError::Kind::broken, fmt::format("more than the {} bytes announced", expected_));
  file_.write(bytes, first_ + size_);
  crc32c_ = plume::crc32c(bytes, crc32c_);
  size_ += bytes.size();
}

void RangeSink::end(const HttpResponse& response) {
  if (size_ != expected_)
    throw TransportError(TransportError::Kind::broken, fmt::format("{} of {} bytes came", size_, expected_));
  const auto expected = expected_checksum(response);
  if (!expected || size_ != total_) return;
  const std::string found = expected->kind == ChecksumKind::crc32c ? text_of(ChecksumKind::crc32c, crc32c_)
                                                                   : file_checksum(file_, size_, expected->kind);
  if (found != expected->value)
    throw TransportError(TransportError::Kind::broken, fmt::format("{} of what came is {}, of the object {}",
                                                                   name_of(expected->kind), found, expected->value));
  verified_ = true;
}

std::string file_checksum(const LocalFile& file, std::uint64_t size, ChecksumKind kind) {
  Checksum sum(kind);
  for_each_piece(file, 0, size, [&](std::span<const std::byte> piece) { sum.add(piece); });
  return sum.finish();
}

std::uint32_t range_crc32c(const LocalFile& file, std::uint64_t offset, std::uint64_t size) {
  std::uint32_t crc = 0;
  for_each_piece(file, offset, size, [&](std::span<const std::byte> piece) { crc = crc32c(piece, crc); });
  return crc;
}

}  // namespace plume::cloud
