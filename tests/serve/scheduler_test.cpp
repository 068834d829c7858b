// The queue with jobs that only note what is done to them.
#include "unet/serve/scheduler.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <stdexcept>
#include <string>
#include <vector>

#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

using namespace std::chrono_literals;

// How a job ended: "encoded", or what it failed with.
class NotedJob : public Job {
 public:
  explicit NotedJob(int height = 1, int images = 1) : height_(height), images_(images) {}

  void decode() override {
    if (on_decode) on_decode();
  }
  void encode() override {
    if (on_encode) on_encode();
    end_.set_value("encoded");
  }
  void fail(const std::exception_ptr& error) noexcept override {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& what) {
      end_.set_value(what.what());
    }
  }
  [[nodiscard]] Kind kind() const override { return {nullptr, height_, 1}; }
  [[nodiscard]] int images() const override { return images_; }

  std::string end() { return ending_.get(); }
  [[nodiscard]] bool ended() const { return ending_.wait_for(0s) == std::future_status::ready; }

  std::function<void()> on_decode;
  std::function<void()> on_encode;

 private:
  int height_;
  int images_;
  std::promise<std::string> end_;
  std::future<std::string> ending_ = end_.get_future();
};

// Sizes of the batches that were computed; each waits for open() before it goes on.
class Gate {
 public:
  Scheduler::Compute compute() {
    return [this](std::span<const std::shared_ptr<Job>> batch, bool alone) {
      {
        const std::scoped_lock lock(mutex_);
        batches_.push_back(batch.size());
        alone_.push_back(alone);
      }
      ++arrived_;
      opened_.wait();
    };
  }
  void wait_for_arrivals(int count) const {
    while (arrived_ < count) std::this_thread::sleep_for(1ms);
  }
  void open() { open_.set_value(); }
  std::vector<std::size_t> batches() {
    const std::scoped_lock lock(mutex_);
    return batches_;
  }
  std::vector<bool> alone() {
    const std::scoped_lock lock(mutex_);
    return alone_;
  }

 private:
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
  std::atomic<int> arrived_{0};
  std::mutex mutex_;
  std::vector<std::size_t> batches_;
  std::vector<bool> alone_;
};

std::shared_ptr<NotedJob> submitted(Scheduler& scheduler, int height = 1, int images = 1) {
  auto job = std::make_shared<NotedJob>(height, images);
  EXPECT_TRUE(scheduler.submit(job));
  return job;
}

TEST(Scheduler, AJobGoesThroughAllStages) {
  std::atomic<int> computed{0};
  Scheduler scheduler({}, [&](auto, bool alone) {
    EXPECT_TRUE(alone);
    ++computed;
  });
  EXPECT_EQ(submitted(scheduler)->end(), "encoded");
  EXPECT_EQ(computed, 1);
}

TEST(Scheduler, WhatWaitsWhileALaneIsBusyIsComputedTogetherByKind) {
  Gate gate;
  Scheduler scheduler({.workers = 2, .lanes = 1, .max_batch = 3}, gate.compute());
  std::vector<std::shared_ptr<NotedJob>> jobs{submitted(scheduler)};
  gate.wait_for_arrivals(1);
  for (const int height : {1, 2, 1, 1, 2, 1}) jobs.push_back(submitted(scheduler, height));
  while (scheduler.counts().decode_seconds.text("x").find("x_count 7") == std::string::npos)
    std::this_thread::sleep_for(1ms);
  gate.open();
  for (const auto& job : jobs) EXPECT_EQ(job->end(), "encoded");
  EXPECT_EQ(gate.batches(), (std::vector<std::size_t>{1, 3, 2, 1}));
  EXPECT_TRUE(gate.alone().at(0));
  EXPECT_FALSE(gate.alone().at(1));  // others wait
}

TEST(Scheduler, ABatchCountsImagesAndALargeJobIsComputedByItself) {
  Gate gate;
  Scheduler scheduler({.workers = 2, .lanes = 1, .max_batch = 4}, gate.compute());
  std::vector<std::shared_ptr<NotedJob>> jobs{submitted(scheduler)};
  gate.wait_for_arrivals(1);
  for (const int images : {3, 2, 2, 9, 1}) jobs.push_back(submitted(scheduler, 1, images));
  while (scheduler.counts().decode_seconds.text("x").find("x_count 6") == std::string::npos)
    std::this_thread::sleep_for(1ms);
  gate.open();
  for (const auto& job : jobs) EXPECT_EQ(job->end(), "encoded");
  EXPECT_EQ(gate.batches(), (std::vector<std::size_t>{1, 1, 2, 1, 1}));  // 3; 2 + 2; 9; 1
}

TEST(Scheduler, AJobWaitsForOthersToFillItsBatch) {
  Gate gate;
  gate.open();
  Scheduler scheduler({.workers = 2, .lanes = 1, .max_batch = 2, .max_wait = 10s}, gate.compute());
  const auto first = submitted(scheduler);
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(first->ended());
  const auto second = submitted(scheduler);
  EXPECT_EQ(first->end(), "encoded");
  EXPECT_EQ(second->end(), "encoded");
  EXPECT_EQ(gate.batches(), std::vector<std::size_t>{2});
}

TEST(Scheduler, ABatchThatStaysSmallIsComputedAfterTheWait) {
  Scheduler scheduler({.max_batch = 2, .max_wait = 30ms}, [](auto, bool) {});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(submitted(scheduler)->end(), "encoded");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 30ms);
}

TEST(Scheduler, AFullQueueTakesNoMore) {
  Gate gate;
  Scheduler scheduler({.workers = 1, .max_queue = 2}, gate.compute());
  std::vector<std::shared_ptr<NotedJob>> jobs{submitted(scheduler)};
  gate.wait_for_arrivals(1);
  jobs.push_back(submitted(scheduler));
  jobs.push_back(submitted(scheduler));
  const auto late = std::make_shared<NotedJob>();
  EXPECT_FALSE(scheduler.submit(late));
  EXPECT_EQ(scheduler.counts().refused, 1);
  gate.open();
  for (const auto& job : jobs) EXPECT_EQ(job->end(), "encoded");
  EXPECT_FALSE(late->ended());
}

TEST(Scheduler, AJobThatWaitsTooLongFailsAtOnceAndIsNotComputed) {
  Gate gate;
  Scheduler scheduler({.workers = 1, .deadline = 50ms}, gate.compute());
  const auto busy = submitted(scheduler);
  gate.wait_for_arrivals(1);
  const auto late = submitted(scheduler);
  EXPECT_NE(late->end().find("longer than it may"), std::string::npos);  // while the only worker is busy
  EXPECT_FALSE(busy->ended());
  gate.open();
  EXPECT_EQ(busy->end(), "encoded");
  EXPECT_EQ(gate.batches(), std::vector<std::size_t>{1});
  EXPECT_EQ(scheduler.counts().expired, 1);
}

TEST(Scheduler, WhatAStageThrowsTheJobFailsWith) {
  std::atomic<bool> throws{true};
  Scheduler scheduler({.workers = 2}, [&](auto, bool) {
    if (throws.exchange(false)) throw std::runtime_error("compute");
  });
  EXPECT_EQ(submitted(scheduler)->end(), "compute");
  const auto decoding = std::make_shared<NotedJob>();
  decoding->on_decode = [] { throw std::runtime_error("decode"); };
  EXPECT_TRUE(scheduler.submit(decoding));
  EXPECT_EQ(decoding->end(), "decode");
  const auto encoding = std::make_shared<NotedJob>();
  encoding->on_encode = [] { throw std::runtime_error("encode"); };
  EXPECT_TRUE(scheduler.submit(encoding));
  EXPECT_EQ(encoding->end(), "encode");
  EXPECT_EQ(submitted(scheduler)->end(), "encoded");
}

TEST(Scheduler, StoppingEndsEveryJobThatWasTaken) {
  Gate gate;
  Scheduler scheduler({.workers = 1}, gate.compute());
  const auto computing = submitted(scheduler);
  gate.wait_for_arrivals(1);
  const auto waiting = submitted(scheduler);
  std::thread stopping([&] { scheduler.stop(); });
  EXPECT_NE(waiting->end(), "encoded");
  gate.open();
  stopping.join();
  EXPECT_EQ(computing->end(), "encoded");
  EXPECT_FALSE(scheduler.submit(std::make_shared<NotedJob>()));
}

TEST(Scheduler, ManyClientsAndWorkersLoseNothing) {
  std::atomic<int> images{0};
  Scheduler scheduler({.workers = 4, .lanes = 2, .max_batch = 8, .max_queue = 100'000}, [&](auto batch, bool) {
    for (const auto& job : batch) images += job->images();
  });
  constexpr int clients = 4;
  constexpr int each = 500;
  std::vector<std::thread> threads;
  for (int client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      std::vector<std::shared_ptr<NotedJob>> jobs;
      for (int i = 0; i < each; ++i) jobs.push_back(submitted(scheduler, 1 + (i + client) % 3));
      for (const auto& job : jobs) EXPECT_EQ(job->end(), "encoded");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(images, clients * each);
  EXPECT_EQ(scheduler.waiting(), 0);
}

}  // namespace
}  // namespace plume::serve
