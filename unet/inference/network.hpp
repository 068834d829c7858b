// A network: a layer graph with its parameters, compiled to the fused operations of nn.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/context.hpp"
#include "nn/modules.hpp"
#include "nn/named_tensor.hpp"
#include "nn/parameters.hpp"
#include "nn/tensor.hpp"
#include "unet/inference/graph.hpp"
#include "unet/inference/plan.hpp"
#include "unet/inference/reach.hpp"

namespace plume::unet {

class Network {
 public:
  // Parameters are zeros until they are initialised or loaded, in the memory of the stream, which must outlive the
  // network; none (null): the CPU, and whoever runs the network has a stream of its own. dtype: of images and
  // activations. Throws input_error for an invalid graph.
  explicit Network(Graph graph, DType dtype = DType::f32, Fusion fusion = Fusion::on, kernels::Stream* stream = nullptr,
                   nn::Gradients gradients = nn::Gradients::yes);

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] kernels::Stream* stream() const { return parameters_.stream(); }
  [[nodiscard]] nn::Parameters& parameters() { return parameters_; }
  [[nodiscard]] const nn::Parameters& parameters() const { return parameters_; }

  // See nn::Parameters::freeze; their gradients, and those of what lies before all that is trained, are not computed.
  void freeze(const std::vector<std::string>& names);

  // Throws input_error where images of this shape do not fit: h and w must be multiples of size_multiple(graph()).
  void require_fit(const nn::Shape& images) const;

  // What each step of the plan yields, under the name of the last layer in it.
  using Observer = std::function<void(const std::string& layer, const nn::Inputs& output)>;

  // Logits {n, h, w, classes} of images {n, h, w, bands} that are already normalised by graph().input.
  // Throws as require_fit does.
  [[nodiscard]] nn::Tensor operator()(const nn::Context& context, const nn::Tensor& images,
                                      const Observer& observer = {}) const;

  // The same of what lies within these margins of a single image, on the CPU and without a tape; what only pixels
  // beyond them look at is not computed.
  [[nodiscard]] nn::Tensor within(const Margins& margins, const nn::Context& context, const nn::Tensor& images) const;

  // The same, and behind them those of graph().heads.
  [[nodiscard]] std::vector<nn::Tensor> with_heads(const nn::Context& context, const nn::Tensor& images) const;

  // How it runs, and one step of that, from its inputs' to its outputs' places among the values.
  [[nodiscard]] const Plan& plan() const { return plan_; }
  void run_step(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t step) const;

 private:
  struct Modules {
    nn::Conv conv;
    nn::BatchNorm norm;
  };

  void make_modules();
  [[nodiscard]] Modules modules_of(const Step& step) const;
  // Its inputs' places among the values, each as large as the cuts say that the step reads it; without cuts: whole.
  [[nodiscard]] std::vector<nn::Inputs> inputs_of(const Step& step, const std::vector<nn::Inputs>& values,
                                                  const std::vector<Cut>& cuts) const;
  void run_step(std::vector<nn::Inputs>& values, const std::vector<Cut>& cuts, const nn::Context& context,
                std::size_t step) const;
  [[nodiscard]] nn::Tensor run_all(const nn::Context& context, const nn::Tensor& images, const std::vector<Cut>& cuts,
                                   const Observer& observer) const;
  // A step that yields one value.
  [[nodiscard]] nn::Inputs run(const nn::Context& context, const Step& step, const Modules& modules,
                               const std::vector<nn::Inputs>& inputs) const;

  Graph graph_;
  DType dtype_;
  Plan plan_;
  nn::Parameters parameters_;
  std::vector<Modules> modules_;  // by step
};

// Sets every parameter to what it is in a network of the same graph.
void copy_parameters(Network& to, const Network& from);

// Sets every parameter. Throws input_error naming the first that is missing, surplus or of another shape.
void load_parameters(Network& network, std::span<const nn::NamedTensor> tensors);

}  // namespace plume::unet
