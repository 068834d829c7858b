// Recordings of streams: replayed on what memory then holds, and harmless where they fail. Events between streams.
#include "kernels/cuda/graph.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "../expect_error.hpp"
#include "device_array.hpp"
#include "kernels/cuda/event.hpp"
#include "kernels/cuda/progress_mark.hpp"
#include "kernels/pointwise.hpp"

namespace plume::kernels {
namespace {

using plume::tests::DeviceVector;

class StreamGraphTest : public plume::tests::OnCuda {
 protected:
  static Image<float> image(const DeviceVector<float>& vector) { return {vector.data(), 1, 1, 4, 1}; }
};

TEST_F(StreamGraphTest, ReplaysOnWhatMemoryHolds) {
  const DeviceVector<float> a(*stream_, std::vector<double>{1, 2, 3, 4});
  const DeviceVector<float> sum(*stream_, std::vector<double>{0, 0, 0, 0});
  StreamGraph graph(*stream_, [&] { copy<float>(image(sum), image(a), true, *stream_); });
  EXPECT_EQ(sum.values(), (std::vector<float>{0, 0, 0, 0})) << "a recording ran";
  graph.launch(*stream_);
  graph.launch(*stream_);
  EXPECT_EQ(sum.values(), (std::vector<float>{2, 4, 6, 8}));
}

TEST_F(StreamGraphTest, WhatCannotBeRecordedLeavesTheStreamAsItWas) {
  const DeviceVector<float> a(*stream_, std::vector<double>{1, 2, 3, 4});
  plume::tests::expect_error(
      ErrorKind::environment, [&] { StreamGraph(*stream_, [&] { (void)allocate(64, *stream_); }); }, "CUDA");
  EXPECT_THROW(StreamGraph(*stream_, [] { throw std::logic_error("mine"); }), std::logic_error);
  copy<float>(image(a), image(a), true, *stream_);
  EXPECT_EQ(a.values(), (std::vector<float>{2, 4, 6, 8}));
}

TEST_F(StreamGraphTest, EventsHoldOtherStreams) {
  const DeviceVector<float> from(*stream_, std::vector<double>{1, 2, 3, 4});
  const DeviceVector<float> to(*stream_, std::vector<double>{0, 0, 0, 0});
  CudaStream other = stream_beside(*stream_);
  CudaEvent done(*stream_);
  for (int i = 0; i < 3; ++i) copy<float>(image(from), image(from), true, *stream_);
  done.record(*stream_);
  done.hold(other);
  copy<float>(image(to), image(from), false, other);
  other.synchronize();
  EXPECT_EQ(to.values(), (std::vector<float>{8, 16, 24, 32}));
  done.synchronize();
}

// Of a stream of another priority; recorded too.
TEST_F(StreamGraphTest, MarksSayHowFarAStreamIs) {
  CudaStream other = stream_beside(*stream_, StreamPriority::high);
  ProgressMark mark(*stream_, 2);
  EXPECT_EQ(mark.value(), 0);
  mark.set(2, other);
  other.synchronize();
  EXPECT_EQ(mark.value(), 2);
  StreamGraph graph(other, [&] { mark.set(1, other); });
  EXPECT_EQ(mark.value(), 2);
  graph.launch(other);
  other.synchronize();
  EXPECT_EQ(mark.value(), 1);
  mark.set(99, other);
  other.synchronize();
  EXPECT_EQ(mark.value(), 2) << "the highest that it can be";
}

TEST_F(StreamGraphTest, StreamsKnowWhetherTheyAreIdle) {
  const DeviceVector<float> a(*stream_, std::vector<double>{1, 2, 3, 4});
  EXPECT_TRUE(stream_->idle());
  for (int i = 0; i < 2; ++i) copy<float>(image(a), image(a), true, *stream_);
  while (!stream_->idle()) continue;
  EXPECT_EQ(a.values(), (std::vector<float>{4, 8, 12, 16}));
  EXPECT_EQ(stream_->device(), 0);
}

}  // namespace
}  // namespace plume::kernels
