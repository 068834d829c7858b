// Pattern matching: chains of layers in which each is read by the next alone become one step.
#include "unet/inference/plan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace plume::unet {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, Fusion fusion) : graph_(graph), fusion_(fusion), readers_(graph.layers.size()) {
    for (int i = 0; i < count(); ++i) {
      place_[layer(i).name] = i;
      for (const std::string& name : layer(i).inputs) {
        if (name != "input") readers_[at(place_.at(name))].push_back(i);
      }
    }
  }

  Plan make() {
    Plan plan;
    std::vector<bool> taken(at(count()));
    for (int i = 0; i < count(); ++i) {
      if (taken[at(i)]) continue;
      const std::vector<int> chain = longest_chain(i);
      for (const int member : chain) taken[at(member)] = true;
      plan.steps.push_back(step_of(chain));
      add_pool(plan.steps.back(), taken);
    }
    // A chain starts at its first layer, but may end behind a layer that others wait for: keep execution order.
    std::stable_sort(plan.steps.begin(), plan.steps.end(),
                     [](const Step& a, const Step& b) { return a.output < b.output; });
    mark_done(plan);
    return plan;
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] int count() const { return static_cast<int>(graph_.layers.size()); }
  [[nodiscard]] const Layer& layer(int i) const { return graph_.layers[at(i)]; }

  // The one layer that reads layer i, if it is of this kind; -1 otherwise.
  [[nodiscard]] int sole_reader(int i, LayerKind kind) const {
    if (i < 0 || readers_[at(i)].size() != 1) return -1;
    const int reader = readers_[at(i)].front();
    return layer(reader).kind == kind ? reader : -1;
  }

  [[nodiscard]] std::vector<int> longest_chain(int i) const {
    if (fusion_ == Fusion::off) return {i};
    const auto chain = [&](std::initializer_list<LayerKind> followers) -> std::vector<int> {
      std::vector<int> members{i};
      for (const LayerKind kind : followers) {
        const int next = sole_reader(members.back(), kind);
        if (next < 0) return {};
        members.push_back(next);
      }
      return members;
    };
    std::vector<std::vector<int>> candidates;
    switch (layer(i).kind) {
      case LayerKind::conv2d:
        candidates = {chain({LayerKind::batch_norm, LayerKind::relu}), chain({LayerKind::relu})};
        break;
      case LayerKind::conv_transpose2d: candidates = {chain({LayerKind::relu})}; break;
      case LayerKind::batch_norm:
        candidates = {chain({LayerKind::conv2d, LayerKind::relu}), chain({LayerKind::relu})};
        break;
      default: break;
    }
    for (auto& candidate : candidates) {
      if (!candidate.empty()) return candidate;
    }
    return {i};
  }

  // A max-pooling that reads the classic unit, beside a skip or not, is done in the same pass.
  void add_pool(Step& step, std::vector<bool>& taken) const {
    if (step.kind != StepKind::conv_norm_relu) return;
    for (const int reader : readers_[at(step.output - 1)]) {
      if (layer(reader).kind != LayerKind::max_pool || taken[at(reader)]) continue;
      taken[at(reader)] = true;
      step.kind = StepKind::conv_norm_relu_pool;
      step.pooled = reader + 1;
      return;
    }
  }

  [[nodiscard]] Step step_of(const std::vector<int>& chain) const {
    Step step;
    const Layer& first = layer(chain.front());
    step.kind = kind_of(first.kind, chain.size());
    step.relu = chain.size() > 1 && layer(chain.back()).kind == LayerKind::relu;
    step.output = chain.back() + 1;
    for (const std::string& name : first.inputs) step.inputs.push_back(name == "input" ? 0 : place_.at(name) + 1);
    for (const int member : chain) {
      const LayerKind kind = layer(member).kind;
      if (kind == LayerKind::conv2d || kind == LayerKind::conv_transpose2d) step.conv = member;
      if (kind == LayerKind::batch_norm) step.norm = member;
    }
    return step;
  }

  static StepKind kind_of(LayerKind kind, std::size_t length) {
    switch (kind) {
      case LayerKind::conv2d: return length == 3 ? StepKind::conv_norm_relu : StepKind::conv;
      case LayerKind::conv_transpose2d: return StepKind::conv_transpose;
      case LayerKind::batch_norm: return length == 3 ? StepKind::norm_conv_relu : StepKind::batch_norm;
      case LayerKind::relu: return StepKind::relu;
      case LayerKind::max_pool: return StepKind::max_pool;
      case LayerKind::upsample_nearest: return StepKind::upsample_nearest;
      case LayerKind::upsample_bilinear: return StepKind::upsample_bilinear;
      case LayerKind::upsample_aligned: return StepKind::upsample_aligned;
      case LayerKind::concat: return StepKind::concat;
      case LayerKind::add: break;
    }
    return StepKind::add;
  }

  // Whoever reads a concatenation reads its parts.
  static void mark_done(Plan& plan) {
    std::map<int, std::vector<int>> parts;  // of concatenations
    std::map<int, Step*> last;
    const auto read_by = [&](const Step& step) {
      std::vector<int> read = step.inputs;
      for (const int value : step.inputs) read.insert(read.end(), parts[value].begin(), parts[value].end());
      return read;
    };
    for (Step& step : plan.steps) {
      for (const int value : read_by(step)) last[value] = &step;
      if (step.kind == StepKind::concat) parts[step.output] = read_by(step);
    }
    // What the network yields is read by its caller.
    const std::vector<int> yielded = plan.steps.empty() ? std::vector<int>() : parts[plan.steps.back().output];
    for (const int value : yielded) last.erase(value);
    for (const auto& [value, step] : last) step->done.push_back(value);
    for (Step& step : plan.steps) {
      const auto read = read_by(step);
      const std::set<int> different(read.begin(), read.end());
      const auto ends = [&](int value) { return value > 0 && last.contains(value) && last.at(value) == &step; };
      step.last_use = different.size() == read.size() && std::all_of(read.begin(), read.end(), ends);
    }
  }

  const Graph& graph_;
  Fusion fusion_;
  std::map<std::string, int> place_;
  std::vector<std::vector<int>> readers_;
};

}  // namespace

Plan make_plan(const Graph& graph, Fusion fusion) {
  return Planner(graph, fusion).make();
}

}  // namespace plume::unet
