// A transport that answers as a test says, and keeps what it was asked.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "cloud/http/transport.hpp"
#include "cloud/signing/digest.hpp"

namespace plume::tests {

// A request after it was sent.
struct Sent {
  std::string method;
  cloud::Url url;
  cloud::Headers headers;
  std::string body;
  cloud::Timeouts timeouts;

  [[nodiscard]] std::string header(std::string_view name) const {
    const std::string* const value = cloud::find_header(headers, name);
    return value == nullptr ? std::string() : *value;
  }
};

class ScriptedTransport final : public cloud::Transport {
 public:
  // May throw, as a connection does.
  using Answer = std::function<cloud::HttpResponse(const Sent&)>;

  // The next request that has no answer yet gets this one.
  void answer(Answer next) { answers_.push_back(std::move(next)); }
  void answer(cloud::HttpResponse response) {
    answer([response](const Sent&) { return response; });
  }
  // All requests beyond those get this one.
  void answer_all(Answer answer) { default_ = std::move(answer); }

  cloud::HttpResponse send(const cloud::HttpRequest& request) override {
    Sent sent{request.method, request.url, request.headers, read(request.body), request.timeouts};
    Answer next;
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back(sent);
      if (!answers_.empty()) {
        next = std::move(answers_.front());
        answers_.pop_front();
      } else {
        next = default_;
      }
    }
    if (!next) throw std::logic_error("unexpected request: " + sent.method + ' ' + sent.url.text());
    cloud::HttpResponse response = next(sent);
    if (request.sink != nullptr && response.ok()) {
      request.sink->begin(response);
      request.sink->write(cloud::as_bytes(response.body));
      response.body.clear();
    }
    return response;
  }

  [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }
  [[nodiscard]] std::size_t left() const { return answers_.size(); }

 private:
  // In pieces of a size that divides nothing.
  static std::string read(cloud::Body* body) {
    std::string text;
    if (body == nullptr) return text;
    body->rewind();
    std::array<std::byte, 7919> buffer{};
    while (const std::size_t size = body->read(buffer)) text.append(reinterpret_cast<const char*>(buffer.data()), size);
    return text;
  }

  std::mutex mutex_;
  std::deque<Answer> answers_;
  Answer default_;
  std::vector<Sent> sent_;
};

}  // namespace plume::tests
