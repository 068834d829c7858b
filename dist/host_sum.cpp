// An exchange, an addition and a sharing of sums for each slice; several slices are on their way at once.
#include <algorithm>
#include <deque>
#include <map>
#include <type_traits>
#include <variant>
#include <vector>

#include "dist/slice_sum.hpp"
#include "dist/wire.hpp"
#include "kernels/memory.hpp"

namespace plume::dist {
namespace {

template <class Wire>
class HostSum : public SliceSum {
 public:
  using Value = typename Wire::Value;
  static constexpr bool as_is = std::is_same_v<Wire, WireF32>;

  HostSum(Communicator& communicator, float* values, kernels::Stream& stream, float factor = 1)
      : communicator_(communicator), values_(values), stream_(stream), factor_(factor) {}

  void begin(std::size_t first, std::size_t count) override {
    Slice& slice = slice_of(first, count);
    slice.host = std::visit([&](auto& stream) { return on_host(slice, stream); }, stream_);
    if constexpr (as_is) {
      slice.wire = slice.host;
      if (factor_ != 1)
        std::transform(slice.host, slice.host + count, slice.host, [&](float value) { return value * factor_; });
    } else {
      slice.packed.resize(count);
      slice.wire = slice.packed.data();
      in_parallel(count, [&](std::size_t from, std::size_t to) {
        std::transform(slice.host + from, slice.host + to, slice.wire + from, Wire::pack);
      });
    }
    slice.pending = communicator_.exchange(slice.wire, slice.parts, slice.others.data(), slice.received);
    exchanging_.push_back(&slice);
    advance();
  }

  // Sums are shared in the order in which slices were begun, on every rank alike.
  void advance() override {
    while (!exchanging_.empty() && exchanging_.front()->pending->done()) add_up();
    while (!sharing_.empty() && sharing_.front()->pending->done()) store();
  }

  void finish() override {
    while (!exchanging_.empty()) {
      communicator_.finish(*exchanging_.front()->pending);
      add_up();
    }
    while (!sharing_.empty()) {
      communicator_.finish(*sharing_.front()->pending);
      store();
    }
  }

 private:
  // One for each slice, from step to step.
  struct Slice {
    std::size_t first = 0;
    std::size_t count = 0;
    std::vector<Piece> parts;     // of `wire`: what each rank adds up
    std::vector<Piece> received;  // of `others`, from each rank
    std::vector<Value> others;    // this rank's part, of each rank
    std::vector<float> copy;      // where the stream's memory is not the host's
    std::vector<Value> packed;    // where floats do not travel as they are
    float* host = nullptr;        // the values, later their sums
    Value* wire = nullptr;        // the same as they travel
    std::unique_ptr<Pending> pending;
  };

  Slice& slice_of(std::size_t first, std::size_t count) {
    const auto [found, is_new] = slices_.try_emplace({first, count});
    Slice& slice = found->second;
    if (!is_new) return slice;
    slice.first = first;
    slice.count = count;
    const auto ranks = static_cast<std::size_t>(communicator_.size());
    const auto start = [&](std::size_t rank) { return count * rank / ranks; };
    const auto own = static_cast<std::size_t>(communicator_.rank());
    const std::size_t part = start(own + 1) - start(own);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      slice.parts.push_back({start(rank) * sizeof(Value), (start(rank + 1) - start(rank)) * sizeof(Value)});
      slice.received.push_back({rank * part * sizeof(Value), part * sizeof(Value)});
    }
    slice.others.resize(part * ranks);
    return slice;
  }

  [[nodiscard]] int threads() const {
    const auto* cpu = std::get_if<kernels::CpuStream>(&stream_);
    return cpu != nullptr ? cpu->threads() : 1;
  }

  // body(first, last) on each thread's share.
  template <class Body>
  void in_parallel(std::size_t count, const Body& body) const {
    constexpr std::size_t grain = 16384;
    const auto blocks = static_cast<std::ptrdiff_t>((count + grain - 1) / grain);
#pragma omp parallel for schedule(static) num_threads(threads())
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const auto from = static_cast<std::size_t>(block) * grain;
      body(from, std::min(count, from + grain));
    }
  }

  float* on_host(Slice& slice, kernels::CpuStream&) {
    return values_ + slice.first;
  }
  float* on_host(Slice& slice, kernels::CudaStream& stream) {
    slice.copy.resize(slice.count);
    kernels::download(slice.copy.data(), values_ + slice.first, slice.count * sizeof(float), stream);
    return slice.copy.data();
  }

  void add_up() {
    Slice& slice = *exchanging_.front();
    const std::size_t ranks = slice.received.size();
    const std::size_t part = slice.others.size() / ranks;
    Value* const sums = slice.wire + slice.parts[static_cast<std::size_t>(communicator_.rank())].offset / sizeof(Value);
    in_parallel(part, [&](std::size_t first, std::size_t last) {
      constexpr std::size_t most = 512;  // what stays in the first cache
      std::array<float, most> sum;       // NOLINT: written before it is read
      for (std::size_t from = first; from < last; from += most) {
        const std::size_t count = std::min(most, last - from);
        std::transform(slice.others.data() + from, slice.others.data() + from + count, sum.data(), Wire::unpack);
        for (std::size_t rank = 1; rank < ranks; ++rank) {
          const Value* const other = slice.others.data() + rank * part + from;
          for (std::size_t i = 0; i < count; ++i) sum[i] += Wire::unpack(other[i]);
        }
        std::transform(sum.data(), sum.data() + count, sums + from, Wire::pack);
      }
    });
    slice.pending = communicator_.share(slice.wire, slice.parts);
    exchanging_.pop_front();
    sharing_.push_back(&slice);
  }

  void store() {
    Slice& slice = *sharing_.front();
    if constexpr (!as_is) {
      in_parallel(slice.count, [&](std::size_t from, std::size_t to) {
        std::transform(slice.wire + from, slice.wire + to, slice.host + from, Wire::unpack);
      });
    }
    if (auto* cuda = std::get_if<kernels::CudaStream>(&stream_))
      kernels::upload(values_ + slice.first, slice.host, slice.count * sizeof(float), *cuda);
    slice.pending.reset();
    sharing_.pop_front();
  }

  Communicator& communicator_;
  float* values_;
  kernels::Stream& stream_;
  float factor_;
  std::map<std::pair<std::size_t, std::size_t>, Slice> slices_;
  std::deque<Slice*> exchanging_;
  std::deque<Slice*> sharing_;
};

}  // namespace

std::unique_ptr<SliceSum> host_sum(Communicator& communicator, float* values, kernels::Stream& stream, Wire wire) {
  switch (wire) {
    case Wire::bf16: return std::make_unique<HostSum<WireBf16>>(communicator, values, stream);
    case Wire::f16: return std::make_unique<HostSum<WireF16>>(communicator, values, stream);
    case Wire::f32: break;
  }
  return std::make_unique<HostSum<WireF32>>(communicator, values, stream);
}

std::unique_ptr<SliceSum> host_mean(Communicator& communicator, float* values, kernels::Stream& stream) {
  return std::make_unique<HostSum<WireF32>>(communicator, values, stream, 1 / static_cast<float>(communicator.size()));
}

}  // namespace plume::dist
