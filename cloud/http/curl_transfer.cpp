// Options, callbacks, and libcurl's outcomes as ours.
#include "cloud/http/curl_transfer.hpp"

#include <algorithm>
#include <charconv>

namespace plume::cloud {
namespace {

// Bytes handed over at once: fewer, larger reads and writes of files and sockets. Every transfer under way has one.
constexpr long receive_buffer = 512L * 1024;
constexpr long send_buffer = 128L * 1024;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

TransportError::Kind kind_of(CURLcode code) {
  using Kind = TransportError::Kind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return Kind::unreachable;
    case CURLE_OPERATION_TIMEDOUT: return Kind::timeout;
    case CURLE_ABORTED_BY_CALLBACK: return Kind::cancelled;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_URL_MALFORMAT: return Kind::refused;
    default:  // also CURLE_UNSUPPORTED_PROTOCOL: what came does not begin as a reply does
      return Kind::broken;
  }
}

}  // namespace

CurlTransfer::CurlTransfer(const HttpRequest& request, CURL* easy, const TransportSettings& settings)
    : request_(request), easy_(easy), most_kept_(settings.most_kept) {
  set_up(settings);
  set_method();
  set_headers();
}

CurlTransfer::~CurlTransfer() {
  curl().slist_free_all(headers_);
}

void CurlTransfer::set_up(const TransportSettings& settings) {
  const auto set = curl().easy_setopt;
  const std::string url = request_.url.text();
  set(easy_, CURLOPT_PRIVATE, this);
  set(easy_, CURLOPT_URL, url.c_str());
  set(easy_, CURLOPT_PATH_AS_IS, 1L);  // a key may hold "./" and "//"
#if CURL_AT_LEAST_VERSION(7, 85, 0)
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(easy_, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!settings.ca_bundle.empty()) set(easy_, CURLOPT_CAINFO, settings.ca_bundle.c_str());
  if (!request_.by_proxy) set(easy_, CURLOPT_NOPROXY, "*");
  set(easy_, CURLOPT_BUFFERSIZE, receive_buffer);
  set(easy_, CURLOPT_UPLOAD_BUFFERSIZE, send_buffer);
  set(easy_, CURLOPT_ERRORBUFFER, message_.data());
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.timeouts.connect.count()));
  set(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeouts.whole.count()));
  if (const auto stall = request_.timeouts.stall.count(); stall > 0) {
    set(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>((stall + 999) / 1000));
  }
  set(easy_, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  set(easy_, CURLOPT_HEADERDATA, this);
  set(easy_, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_write);
  set(easy_, CURLOPT_WRITEDATA, this);
  if (request_.cancelled != nullptr) {
    set(easy_, CURLOPT_NOPROGRESS, 0L);
    set(easy_, CURLOPT_XFERINFOFUNCTION, &CurlTransfer::on_progress);
    set(easy_, CURLOPT_XFERINFODATA, this);
  }
}

void CurlTransfer::set_method() {
  const auto set = curl().easy_setopt;
  if (request_.body != nullptr) {
    request_.body->rewind();
    set(easy_, CURLOPT_UPLOAD, 1L);
    set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body->size()));
    set(easy_, CURLOPT_READFUNCTION, &CurlTransfer::on_read);
    set(easy_, CURLOPT_READDATA, this);
    set(easy_, CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek);
    set(easy_, CURLOPT_SEEKDATA, this);
    set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  } else if (request_.method == "HEAD") {
    set(easy_, CURLOPT_NOBODY, 1L);
  } else {
    set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

void CurlTransfer::set_headers() {
  const auto append = [&](const std::string& line) { headers_ = curl().slist_append(headers_, line.c_str()); };
  for (const Header& header : request_.headers)
    append(header.value.empty() ? header.name + ';' : header.name + ": " + header.value);
  const bool expects_body = request_.method == "PUT" || request_.method == "POST";
  if (request_.body == nullptr && expects_body) append("Content-Length: 0");
  append("Expect:");  // waiting for 100-continue costs each upload a round trip
  append("Accept:");
  curl().easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
}

void CurlTransfer::end(CURLcode code) {
  long status = 0;
  curl().easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  try {
    if (!thrown_ && code == CURLE_OK && request_.sink != nullptr && response_.ok()) begin_sink();
  } catch (...) {
    thrown_ = std::current_exception();
  }
  if (thrown_) {
    reply_.set_exception(thrown_);
  } else if (code != CURLE_OK) {
    reply_.set_exception(failure(code));
  } else {
    reply_.set_value(std::move(response_));
  }
}

std::exception_ptr CurlTransfer::failure(CURLcode code) const {
  std::string why = message_[0] != '\0' ? message_.data() : curl().easy_strerror(code);
  if (kind_of(code) == TransportError::Kind::cancelled) why = "cancelled";
  return std::make_exception_ptr(
      TransportError(kind_of(code), fmt::format("{} {}: {}", request_.method, request_.url.authority(), why)));
}

void CurlTransfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // each reply's first line; one of 1xx comes before the final one
    response_ = {};
    const std::size_t space = std::min(line.find(' '), line.size() - 1);
    std::from_chars(line.data() + space + 1, line.data() + line.size(), response_.status);
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  response_.headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
}

void CurlTransfer::begin_sink() {
  if (sink_begun_) return;
  request_.sink->begin(response_);
  sink_begun_ = true;
}

void CurlTransfer::take_body(std::span<const std::byte> bytes) {
  if (request_.sink != nullptr && response_.ok()) {
    begin_sink();
    request_.sink->write(bytes);
  } else {
    keep(response_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, most_kept_, request_.url);
  }
}

std::size_t CurlTransfer::on_read(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  try {
    return transfer.request_.body->read(std::as_writable_bytes(std::span(into, size * count)));
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

// libcurl sends a body again where a kept connection turns out to be closed.
int CurlTransfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  try {
    transfer.request_.body->rewind();
    return CURL_SEEKFUNC_OK;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return CURL_SEEKFUNC_FAIL;
  }
}

std::size_t CurlTransfer::on_header(char* line, std::size_t size, std::size_t count, void* self) {
  static_cast<CurlTransfer*>(self)->take_header({line, size * count});
  return size * count;
}

std::size_t CurlTransfer::on_write(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  try {
    transfer.take_body(std::as_bytes(std::span(bytes, size * count)));
    return size * count;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
    return 0;  // ends the transfer
  }
}

int CurlTransfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<CurlTransfer*>(self)->request_.cancelled->load() ? 1 : 0;
}

}  // namespace plume::cloud
