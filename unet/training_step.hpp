// One optimiser step on a batch: forward, loss, backward, update, in parts where the batch is accumulated.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/loading/batch.hpp"
#include "kernels/cuda/graph.hpp"
#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "nn/buffer.hpp"
#include "nn/optimizer.hpp"
#include "unet/config.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/inference/network.hpp"
#include "unet/step_input.hpp"

namespace plume::unet {

// On CUDA the first step of a number of images is queued kernel by kernel, the second recorded and from then on
// replayed.
class TrainingStep {
 public:
  // Runs on the network's stream; where it has none, on the CPU. height and width of the tiles; crops are smaller where
  // the configuration says so. exchange: of gradients with other ranks, which must outlive this; null where there are
  // none.
  TrainingStep(Network& network, const Config& config, int height, int width, GradientExchange* exchange = nullptr);

  // Of a network with one class: labels are soft, and this is how much of a positive each is.
  void use_soft_labels(const std::vector<float>& targets);

  // This rank's share of the batch's loss: images weigh alike, as do their gradients. Batch normalisation sees one part
  // of an accumulated batch at a time. A rank without images takes part in the update.
  [[nodiscard]] double run(const data::Batch& batch, nn::Optimizer& optimizer, double rate);

  // The same in three, so that on CUDA the next batch is copied beside a running step: put a batch, at most two ahead;
  // start a step on the one put first; finish it: wait for its loss.
  void put(const data::Batch& batch);
  void start(nn::Optimizer& optimizer, double rate);
  [[nodiscard]] double finish();

  // After a step whose loss or gradients were not finite: what was not, as text, for the images that are still at hand;
  // and the running statistics become what they were before it.
  [[nodiscard]] std::string not_finite();
  void undo_statistics();

  // How many steps were replayed.
  [[nodiscard]] std::int64_t replays() const { return replays_; }
  // Why steps are not replayed though they were to be; empty where they are.
  [[nodiscard]] const std::string& graph_refusal() const { return graph_refusal_; }

  // What a full batch needs, without running it.
  [[nodiscard]] std::string describe_memory();

 private:
  // A recorded step and the memory that it names.
  struct Recording {
    kernels::StreamGraph graph;
    const std::byte* slab;
    const nn::Optimizer* optimizer;
  };

  // What was put and not yet started.
  struct Put {
    int images = 0;
    int total = 0;
  };

  [[nodiscard]] nn::Buffer floats_of(const std::vector<float>& values, std::string_view purpose);
  // Images of a full batch on this rank, at most, and of one of its parts.
  [[nodiscard]] int share() const;
  [[nodiscard]] int part() const;
  [[nodiscard]] std::size_t heads() const { return 1 + network_.graph().heads.size(); }
  [[nodiscard]] std::string key(int images) const;
  // Calls body(index, first, count) for each part of a batch.
  void for_parts(int images, const std::function<void(int index, int first, int count)>& body) const;
  void plan_parts(int images);
  void queue(const Put& batch, nn::Optimizer& optimizer);
  void queue_part(int index, int first, int count, double scale, bool dry, bool last);
  void copy_statistics(std::byte* to, const std::byte* from);
  void replay(kernels::CudaStream& stream, const Put& batch, nn::Optimizer& optimizer);

  Network& network_;
  const Config& config_;
  int height_;  // of the crops
  int width_;
  int multiple_;
  std::optional<kernels::Stream> own_stream_;
  kernels::Stream& stream_;
  bool recompute_;
  nn::Arena arena_;
  std::optional<StepInput> input_;  // not in a dry run
  nn::Buffer losses_;               // of each part, one for each head, f64
  nn::Buffer statistics_before_;    // the step that was started last
  nn::Buffer class_weights_;        // empty: all weigh alike
  nn::Buffer soft_;                 // empty: labels are classes
  GradientExchange* exchange_;
  std::deque<Put> put_;
  Put started_;
  // By the numbers of images, own and all; empty after the first step.
  std::map<std::pair<int, int>, std::optional<Recording>> recordings_;
  std::int64_t replays_ = 0;
  std::string graph_refusal_;
};

// A step's memory and what parameters, their gradients and the optimiser add, as a table in MiB.
[[nodiscard]] std::string memory_table(TrainingStep& step, const nn::Optimizer& optimizer,
                                       const nn::Parameters& parameters);

}  // namespace plume::unet
