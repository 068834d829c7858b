// One thread around libcurl's multi interface; callers leave a request with it and wait.
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cloud/http/curl_transfer.hpp"

namespace plume::cloud {
namespace {

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(TransportSettings settings) : settings_(std::move(settings)), multi_(curl().multi_init()) {
    if (multi_ == nullptr) throw environment_error("libcurl cannot make a connection pool");
    curl().multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(settings_.connections));
    thread_ = std::thread([this] { run(); });
  }

  ~CurlTransport() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl().multi_wakeup(multi_);
    thread_.join();
    for (CURL* const easy : idle_) curl().easy_cleanup(easy);
    curl().multi_cleanup(multi_);
  }

  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  HttpResponse send(const HttpRequest& request) override {
    check_headers(request);
    auto transfer = std::make_unique<CurlTransfer>(request, take_handle(), settings_);
    std::future<HttpResponse> reply = transfer->reply();
    {
      const std::lock_guard lock(mutex_);
      arriving_.push_back(std::move(transfer));
    }
    curl().multi_wakeup(multi_);
    return reply.get();
  }

 private:
  CURL* take_handle() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        CURL* const easy = idle_.back();
        idle_.pop_back();
        return easy;
      }
    }
    CURL* const easy = curl().easy_init();
    if (easy == nullptr) throw environment_error("libcurl cannot make a transfer: out of memory?");
    return easy;
  }

  void run() {
    while (true) {
      std::vector<std::unique_ptr<CurlTransfer>> arrived;
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        arrived.swap(arriving_);
      }
      for (auto& transfer : arrived) {
        CURL* const easy = transfer->easy();
        curl().multi_add_handle(multi_, easy);
        running_.emplace(easy, std::move(transfer));
      }
      int running = 0;
      curl().multi_perform(multi_, &running);
      collect();
      curl().multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* const message = curl().multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;  // NOLINT(cppcoreguidelines-pro-type-union-access): libcurl's own
      curl().multi_remove_handle(multi_, easy);
      const auto ended = running_.extract(easy);
      const std::unique_ptr<CurlTransfer> transfer = std::move(ended.mapped());
      // Whoever waits may go on at once, so nothing of the request is touched from here on.
      transfer->end(code);
      curl().easy_reset(easy);
      const std::lock_guard lock(mutex_);
      idle_.push_back(easy);
    }
  }

  TransportSettings settings_;
  CURLM* multi_;
  std::unordered_map<CURL*, std::unique_ptr<CurlTransfer>> running_;  // the thread's own

  std::mutex mutex_;  // for all below
  std::vector<std::unique_ptr<CurlTransfer>> arriving_;
  std::vector<CURL*> idle_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Transport> make_transport(const TransportSettings& settings) {
  return std::make_unique<CurlTransport>(settings);
}

}  // namespace plume::cloud
