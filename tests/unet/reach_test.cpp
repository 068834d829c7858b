// How far a network looks, measured; and parts of images, which are what they are in the whole though less was
// computed.
#include "unet/inference/reach.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "../random_values.hpp"
#include "small_networks.hpp"
#include "trained_network.hpp"
#include "unet/inference/fold_norms.hpp"

namespace plume::unet {
namespace {

using tests::trained_network;

class ReachTest : public testing::TestWithParam<tests::SmallNetwork> {};
INSTANTIATE_TEST_SUITE_P(Families, ReachTest, testing::ValuesIn(tests::small_networks),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

// In f64, with every weight positive and every shift 0, so that a pixel that grows makes all that depend on it grow.
class SummingNetwork {
 public:
  explicit SummingNetwork(const Graph& graph) : network_(graph, DType::f64) {
    copy_parameters(network_, trained_network(graph));
    for (const nn::ParameterInfo& info : network_.parameters().all()) {
      nn::NamedTensor tensor = network_.parameters().to_named(info);
      const bool shift = info.name.ends_with(".bias") || info.name.ends_with(".running_mean");
      for (float& value : tensor.values) value = shift ? 0 : 0.1F + std::abs(value) / 4;
      network_.parameters().from_named(info, tensor);
    }
  }

  // Logits [height, width, classes] of an image of ones, but one pixel of its one band.
  std::vector<double> run(int height, int width, std::size_t raised, double value) {
    const nn::Context context{stream_, arena_};
    const nn::Tensor x = context.allocate({1, height, width, 1}, DType::f64, "x");
    std::fill_n(x.data<double>(), height * width, 1.0);
    x.data<double>()[raised] = value;
    const nn::Tensor y = network_(context, x);
    return {y.data<double>(), y.data<double>() + y.shape().count()};
  }

 private:
  Network network_;
  kernels::Stream stream_{kernels::CpuStream(1, kernels::ConvPolicy::direct)};  // Winograd rounds what it does not read
  nn::Arena arena_;
};

// Along one axis, how far before and behind itself an output pixel is moved by an input pixel, whatever their phases.
std::pair<int, int> measured_reach(const Graph& graph, bool along_rows, int length) {
  const int multiple = size_multiple(graph);
  SummingNetwork network(graph);
  const int height = along_rows ? length : multiple;
  const int width = along_rows ? multiple : length;
  const auto still = network.run(height, width, 0, 1);
  std::pair<int, int> reach{0, 0};
  for (int place = length / 2; place < length / 2 + multiple; ++place) {
    const auto moved = network.run(height, width, static_cast<std::size_t>(along_rows ? place * width : place), 1e6);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (moved[i] == still[i]) continue;
      const int pixel = static_cast<int>(i) / graph.classes;
      const int distance = (along_rows ? pixel / width : pixel % width) - place;
      reach = {std::max(reach.first, distance), std::max(reach.second, -distance)};
    }
  }
  return reach;
}

TEST_P(ReachTest, ReachIsHowFarTheNetworkLooks) {
  ModelSettings settings = GetParam().settings;
  settings.bands = 1;
  const Graph graph = build_graph(settings);
  const Margins reach = reach_of(graph);
  const int multiple = size_multiple(graph);
  const int furthest = std::max({reach.top, reach.left, reach.bottom, reach.right});
  const int length = 2 * (furthest / multiple + 2) * multiple;
  const auto rows = measured_reach(graph, true, length);
  const auto columns = measured_reach(graph, false, length);
  EXPECT_EQ(rows.first, reach.top);
  EXPECT_EQ(rows.second, reach.bottom);
  EXPECT_EQ(columns.first, reach.left);
  EXPECT_EQ(columns.second, reach.right);
}

// Runs networks on one image of random values, and keeps what they took.
class Runner {
 public:
  Runner(const Network& network, int height, int width) : network_(network), shape_{1, height, width, 3} {}

  // Logits within margins, or of all.
  std::vector<double> run(const Margins* margins) {
    const nn::ArenaStep step(arena_, "step");
    const nn::Context context{stream_, arena_};
    const nn::Tensor x = context.allocate(shape_, DType::f64, "x");
    const auto values = tests::random_values(shape_.count(), 5);
    std::copy(values.begin(), values.end(), x.data<double>());
    const nn::Tensor y = margins ? network_.within(*margins, context, x) : network_(context, x);
    EXPECT_FALSE(y.is_part());
    return {y.data<double>(), y.data<double>() + y.shape().count()};
  }
  // Values that a step's layers write, but for a copy of what was asked for.
  [[nodiscard]] std::size_t written() const {
    const auto& all = arena_.plan("step")->allocations;
    return std::accumulate(all.begin(), all.end(), std::size_t{0},
                           [](std::size_t sum, const auto& each) { return sum + each.bytes; });
  }

 private:
  const Network& network_;
  nn::Shape shape_;
  kernels::Stream stream_{kernels::CpuStream(2, kernels::ConvPolicy::direct)};
  nn::Arena arena_;
};

Network in_f64(const Network& network) {
  Network wide(network.graph(), DType::f64);
  copy_parameters(wide, network);
  return wide;
}

// To the last bit: every pixel is computed in the same order as in the whole.
TEST_P(ReachTest, WithinMarginsIsThePartOfTheWhole) {
  const Graph graph = build_graph(GetParam().settings);
  const auto [top, left, bottom, right] = reach_of(graph);
  const int multiple = size_multiple(graph);
  const int reach = std::max({top, left, bottom, right});
  const int height = (3 * reach / multiple + 3) * multiple;
  const int width = height + 2 * multiple;
  for (const bool folded : {false, true}) {
    const Network network = in_f64(folded ? fold_norms(trained_network(graph)) : trained_network(graph));
    const auto whole = Runner(network, height, width).run(nullptr);
    for (const Margins& margins : {Margins{top, left, bottom, right}, Margins{0, left, 0, right + 3},
                                   Margins{top + 1, 0, bottom + 2 * multiple + 1, 0}, Margins{0, 0, bottom, 0}}) {
      SCOPED_TRACE(testing::Message() << folded << ": " << margins.top << " " << margins.left << " " << margins.bottom
                                      << " " << margins.right);
      std::vector<double> expected;
      for (int y = margins.top; y < height - margins.bottom; ++y) {
        const auto row = whole.begin() + std::ptrdiff_t{y} * width * graph.classes;
        expected.insert(expected.end(), row + margins.left * graph.classes,
                        row + (width - margins.right) * graph.classes);
      }
      EXPECT_EQ(Runner(network, height, width).run(&margins), expected);
    }
  }
}

// Of an image with margins as wide as the network looks, the finest level's decoder computes little more than is kept.
TEST(CutsWithin, LeaveOutWhatOnlyTheMarginsNeed) {
  const Graph graph = build_graph({Family::classic, 3, 1, 4, 2, Up::transposed, 32});
  const Margins margins = reach_of(graph);
  const auto cuts = cuts_within(graph, margins);
  ASSERT_EQ(cuts.size(), graph.layers.size() + 1);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (graph.layers[i].kind == LayerKind::max_pool) {
      EXPECT_EQ(cuts[i + 1].margins, Margins{}) << graph.layers[i].name;
    }
  }
  for (const auto side : {&Margins::top, &Margins::left, &Margins::bottom, &Margins::right}) {
    EXPECT_GE(cuts.back().margins.*side, margins.*side - 4);
    EXPECT_LE(cuts.back().margins.*side, margins.*side);
  }
  const Network network = in_f64(trained_network(graph));
  Runner whole(network, 96, 96);
  Runner part(network, 96, 96);
  whole.run(nullptr);
  part.run(&margins);
  EXPECT_LT(static_cast<double>(part.written()), 0.85 * static_cast<double>(whole.written()));
}

}  // namespace
}  // namespace plume::unet
