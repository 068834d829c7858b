// The checks of each operation. Adding an operation means adding its rows here: a test counts them.
#include "operation_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nn/ops/ops.hpp"

namespace plume::nn::tests {
namespace {

using kernels::ConvGeometry;

// Bounds of float against double, in relative L2: a few roundings (6e-8) each, more where many are summed or where
// normalisation takes differences.
constexpr double pointwise_bound = 3e-7;
constexpr double conv_bound = 1e-6;
constexpr double norm_bound = 5e-6;

struct Size {
  int n, h, w;
  [[nodiscard]] std::string text() const { return fmt::format("{}x{}x{}", n, h, w); }
};
constexpr std::array<Size, 3> sizes{{{1, 5, 7}, {3, 4, 6}, {3, 5, 3}}};

Leaf image(std::string name, const Size& size, int channels, double low = -1, double high = 1) {
  return {std::move(name), {size.n, size.h, size.w, channels}, Leaf::Kind::image, low, high};
}
Leaf weight(int kernel, int in, int out) {
  return {"layer.weight", {kernel, kernel, in, out}, Leaf::Kind::parameter};
}
Leaf vector(std::string name, int channels, double low = -1, double high = 1) {
  return {std::move(name), {1, 1, 1, channels}, Leaf::Kind::parameter, low, high};
}
Leaf statistic(std::string name, int channels, double low, double high) {
  return {std::move(name), {1, 1, 1, channels}, Leaf::Kind::statistic, low, high};
}
std::vector<Leaf> norm_leaves(int channels) {
  return {vector("norm.weight", channels, 0.5, 2), vector("norm.bias", channels, -0.5, 0.5),
          statistic("norm.running_mean", channels, -0.5, 0.5), statistic("norm.running_var", channels, 0.5, 2)};
}
BatchNorm norm_at(const Leaves& leaves, std::size_t first) {
  return {leaves[first], leaves[first + 1], leaves[first + 2], leaves[first + 3], {.epsilon = 1e-3}};
}
std::vector<Leaf> operator+(std::vector<Leaf> a, const std::vector<Leaf>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

using Checks = std::vector<OperationCheck>;

struct ConvRow {
  const char* name;
  ConvGeometry geometry;
  bool bias;
  bool relu;
};

void add_conv_checks(Checks& checks) {
  const std::array<ConvRow, 5> rows{{{"1x1", {1, 1, {}}, true, false},
                                     {"3x3", {3, 1, {1, 1, 1, 1}}, true, true},
                                     {"5x5", {5, 1, {2, 2, 2, 2}}, false, false},
                                     {"3x3 stride 2", {3, 2, {0, 0, 1, 1}}, false, true},
                                     {"1x1 stride 2", {1, 2, {}}, true, true}}};
  for (const ConvRow& row : rows) {
    for (const Size& size : sizes) {
      for (const auto& [in, out] : {std::array{1, 1}, {3, 17}}) {
        const auto conv = [row](const Context& context, const Leaves& x) -> Inputs {
          return conv2d(context, x[0], {x[1], row.bias ? x[2] : Tensor(), row.geometry}, row.relu);
        };
        std::vector<Leaf> leaves{image("x", size, in), weight(row.geometry.kernel, in, out)};
        if (row.bias) leaves.push_back(vector("layer.bias", out));
        checks.push_back({"conv2d", fmt::format("{}, {}, {} to {}", row.name, size.text(), in, out), leaves, conv,
                          false, conv_bound});
      }
    }
  }
}

void add_conv_transpose_checks(Checks& checks) {
  const std::array<ConvRow, 3> rows{{{"2x2", {2, 2, {}}, true, false},
                                     {"3x3 same", {3, 2, {0, 0, 1, 1}}, true, true},
                                     {"3x3 stride 1", {3, 1, {1, 1, 1, 1}}, false, true}}};
  for (const ConvRow& row : rows) {
    for (const Size& size : sizes) {
      for (const auto& [in, out] : {std::array{1, 1}, {17, 3}}) {
        const auto conv = [row](const Context& context, const Leaves& x) -> Inputs {
          return conv_transpose2d(context, x[0], {x[1], row.bias ? x[2] : Tensor(), row.geometry}, row.relu);
        };
        std::vector<Leaf> leaves{image("x", size, in), weight(row.geometry.kernel, in, out)};
        if (row.bias) leaves.push_back(vector("layer.bias", out));
        checks.push_back({"conv_transpose2d", fmt::format("{}, {}, {} to {}", row.name, size.text(), in, out), leaves,
                          conv, false, conv_bound});
      }
    }
  }
}

// Several inputs as one, one input several times.
void add_shared_input_checks(Checks& checks) {
  constexpr ConvGeometry same{3, 1, {1, 1, 1, 1}};
  for (const Size& size : sizes) {
    const std::vector<Leaf> three{image("a", size, 3), image("b", size, 1), image("c", size, 14)};
    checks.push_back({"conv2d", "concatenated, " + size.text(), three + std::vector{weight(3, 18, 5)},
                      [=](const Context& context, const Leaves& x) -> Inputs {
                        return conv2d(context, {x[0], x[1], x[2]}, {x[3], {}, same}, true);
                      },
                      false, conv_bound});
    checks.push_back({"conv_transpose2d", "concatenated, " + size.text(), three + std::vector{weight(2, 18, 5)},
                      [=](const Context& context, const Leaves& x) -> Inputs {
                        return conv_transpose2d(context, {x[0], x[1], x[2]}, {x[3], {}, {2, 2, {}}}, true);
                      },
                      false, conv_bound});
    checks.push_back({"conv2d",
                      "same input twice, " + size.text(),
                      {image("x", size, 3), weight(3, 6, 5)},
                      [=](const Context& context, const Leaves& x) -> Inputs {
                        const Tensor y = conv2d(context, {x[0], x[0]}, {x[1], {}, same});
                        return add(context, y, conv2d(context, {x[0], x[0]}, {x[1], {}, same}));
                      },
                      false,
                      conv_bound});
    checks.push_back({"conv_transpose2d",
                      "same input twice, " + size.text(),
                      {image("x", size, 3), weight(2, 3, 5)},
                      [=](const Context& context, const Leaves& x) -> Inputs {
                        const Tensor y = conv_transpose2d(context, x[0], {x[1], {}, {2, 2, {}}});
                        return add(context, y, conv_transpose2d(context, x[0], {x[1], {}, {2, 2, {}}}));
                      },
                      false,
                      conv_bound});
  }
}

void add_batch_norm_checks(Checks& checks) {
  for (const bool training : {true, false}) {
    const char* mode = training ? "training" : "inference";
    for (const Size& size : sizes) {
      for (const int channels : {1, 17}) {
        const std::vector<Leaf> leaves = std::vector{image("x", size, channels, -1, 3)} + norm_leaves(channels);
        for (const bool with_relu : {false, true}) {
          checks.push_back({"batch_norm",
                            fmt::format("{}, {}, {}{}", mode, size.text(), channels, with_relu ? ", relu" : ""), leaves,
                            [=](const Context& context, const Leaves& x) -> Inputs {
                              return batch_norm(context, x[0], norm_at(x, 1), with_relu);
                            },
                            training, norm_bound});
        }
        checks.push_back({"batch_norm", fmt::format("{}, {}, {}, sole use", mode, size.text(), channels), leaves,
                          [=](const Context& context, const Leaves& x) -> Inputs {
                            return batch_norm(context, sigmoid(context, x[0]), norm_at(x, 1), true, true);
                          },
                          training, norm_bound});
      }
      checks.push_back({"batch_norm", fmt::format("{}, {}, concatenated", mode, size.text()),
                        std::vector{image("a", size, 3), image("b", size, 2)} + norm_leaves(8),
                        [=](const Context& context, const Leaves& x) -> Inputs {
                          const Tensor y = batch_norm(context, {x[0], x[1], x[0]}, norm_at(x, 2), true);
                          return add(context, y, batch_norm(context, {x[0], x[1], x[0]}, norm_at(x, 2)));
                        },
                        training, norm_bound});
    }
  }
}

// Both outputs read, as beside a skip; one; the other.
void add_pooled_unit_checks(Checks& checks, const Size& size, bool training) {
  constexpr ConvGeometry same{3, 1, {1, 1, 1, 1}};
  const auto add = [&](const char* outputs, const std::function<Inputs(const Pooled&)>& read) {
    checks.push_back({"conv_norm_relu_pool",
                      fmt::format("{}, {}, {}", training ? "training" : "inference", size.text(), outputs),
                      std::vector{image("a", size, 3), image("b", size, 2), weight(3, 5, 6)} + norm_leaves(6),
                      [=](const Context& context, const Leaves& x) -> Inputs {
                        return read(conv_norm_relu_pool(context, {x[0], x[1]}, {x[2], {}, same}, norm_at(x, 3)));
                      },
                      training, norm_bound});
  };
  add("both", [](const Pooled& unit) -> Inputs { return {unit.y, unit.pooled}; });
  add("pooled", [](const Pooled& unit) -> Inputs { return unit.pooled; });
  add("whole", [](const Pooled& unit) -> Inputs { return unit.y; });
}

void add_unit_checks(Checks& checks) {
  constexpr ConvGeometry same{3, 1, {1, 1, 1, 1}};
  for (const bool training : {true, false}) {
    const char* mode = training ? "training" : "inference";
    for (const Size& size : sizes) {
      checks.push_back({"conv_norm_relu", fmt::format("{}, {}", mode, size.text()),
                        std::vector{image("a", size, 3), image("b", size, 2), weight(3, 5, 6)} + norm_leaves(6),
                        [=](const Context& context, const Leaves& x) -> Inputs {
                          return conv_norm_relu(context, {x[0], x[1]}, {x[2], {}, same}, norm_at(x, 3));
                        },
                        training, norm_bound});
      add_pooled_unit_checks(checks, size, training);
      checks.push_back(
          {"norm_conv_relu", fmt::format("{}, {}", mode, size.text()),
           std::vector{image("a", size, 3), image("b", size, 2), weight(3, 5, 6), vector("layer.bias", 6)} +
               norm_leaves(5),
           [=](const Context& context, const Leaves& x) -> Inputs {
             return norm_conv_relu(context, {x[0], x[1]}, norm_at(x, 4), {x[2], x[3], same});
           },
           training, norm_bound});
    }
  }
  for (const SkipOrder order : {SkipOrder::skip_first, SkipOrder::up_first}) {
    for (const bool with_relu : {false, true}) {
      for (const Size& size : sizes) {
        const Size twice{size.n, 2 * size.h, 2 * size.w};
        checks.push_back({"up_concat",
                          fmt::format("{}, {}{}", size.text(), order == SkipOrder::up_first ? "up first" : "skip first",
                                      with_relu ? ", relu" : ""),
                          {image("x", size, 4), image("skip", twice, 2), weight(2, 4, 3), vector("layer.bias", 3)},
                          [=](const Context& context, const Leaves& x) {
                            return up_concat(context, x[0], {x[2], x[3], {2, 2, {}}}, x[1], order, with_relu);
                          },
                          false,
                          conv_bound});
      }
    }
  }
}

using Unary = std::function<Tensor(const Context&, const Tensor&)>;

// Once, and twice on the same input, so that a gradient is added to.
void add_unary(Checks& checks, const std::string& name, const Unary& operation, bool distinct,
               std::initializer_list<int> channel_counts) {
  for (const Size& size : sizes) {
    for (const int channels : channel_counts) {
      Leaf x = image("x", size, channels, -2, 2);
      x.distinct = distinct;
      const std::string where = fmt::format("{}, {}", size.text(), channels);
      checks.push_back({name,
                        where,
                        {x},
                        [=](const Context& context, const Leaves& l) -> Inputs { return operation(context, l[0]); },
                        false,
                        pointwise_bound});
      checks.push_back({name,
                        where + ", twice",
                        {x},
                        [=](const Context& context, const Leaves& l) -> Inputs {
                          return add(context, operation(context, l[0]), operation(context, l[0]));
                        },
                        false,
                        pointwise_bound});
    }
  }
}

void add_unary_checks(Checks& checks) {
  add_unary(checks, "relu", relu, true, {1, 3});
  add_unary(checks, "sigmoid", sigmoid, false, {1, 3});
  add_unary(checks, "softmax", softmax, false, {2, 5});  // of one channel it is constant
  add_unary(checks, "max_pool", max_pool, true, {1, 3});
  using kernels::Interpolation;
  for (const auto& [name, interpolation] : {std::pair{"upsample_nearest", Interpolation::nearest},
                                            {"upsample_bilinear", Interpolation::bilinear},
                                            {"upsample_aligned", Interpolation::aligned}}) {
    add_unary(checks, name,
              [interpolation = interpolation](const Context& context, const Tensor& x) {
                return upsample(context, x, interpolation);
              },
              false, {1, 3});
  }
}

void add_binary_checks(Checks& checks) {
  for (const Size& size : sizes) {
    for (const int channels : {1, 3}) {
      checks.push_back({"add",
                        fmt::format("{}, {}", size.text(), channels),
                        {image("a", size, channels), image("b", size, channels)},
                        [](const Context& context, const Leaves& x) -> Inputs {
                          return add(context, x[0], add(context, x[1], x[0]));
                        },
                        false,
                        pointwise_bound});
      checks.push_back({"concat",
                        fmt::format("{}, {}", size.text(), channels),
                        {image("a", size, channels), image("b", size, 2)},
                        [](const Context& context, const Leaves& x) -> Inputs {
                          return concat(context, {x[0], x[1], x[0]});
                        },
                        false,
                        pointwise_bound});
    }
  }
}

Checks make_checks() {
  Checks checks;
  add_conv_checks(checks);
  add_conv_transpose_checks(checks);
  add_shared_input_checks(checks);
  add_batch_norm_checks(checks);
  add_unit_checks(checks);
  add_unary_checks(checks);
  add_binary_checks(checks);
  return checks;
}

}  // namespace

const std::vector<OperationCheck>& operation_checks() {
  static const Checks checks = make_checks();
  return checks;
}

std::vector<std::string> checked_operations() {
  std::vector<std::string> names;
  for (const OperationCheck& check : operation_checks()) {
    if (std::find(names.begin(), names.end(), check.operation) == names.end()) names.push_back(check.operation);
  }
  return names;
}

}  // namespace plume::nn::tests
