// Values that are expensive to make, shared by threads: each is made by the thread that wants it first, and others that
// want it wait for that one alone.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <utility>

namespace plume::data {

template <class Key, class Value>
class SharedCache {
 public:
  // What make() returns, or throws: get() then throws it each time. Made where it is not held; where more than `most`
  // (from 1) are held then, those that were wanted first are let go. Thread-safe; make() may not ask for the same key.
  template <class Make>
  [[nodiscard]] std::shared_future<Value> of(const Key& key, std::size_t most, const Make& make) {
    std::promise<Value> promise;
    std::shared_future<Value> value = promise.get_future().share();
    std::deque<std::shared_future<Value>> let_go;  // destroyed without the lock
    {
      const std::lock_guard lock(mutex_);
      const auto [found, is_new] = held_.try_emplace(key, value);
      if (!is_new) return found->second;
      order_.push_back(key);
      for (; order_.size() > most; order_.pop_front())
        let_go.push_back(std::move(held_.extract(order_.front()).mapped()));
    }
    try {
      promise.set_value(make());
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
    return value;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::map<Key, std::shared_future<Value>> held_;
  std::deque<Key> order_;  // oldest first
};

}  // namespace plume::data
