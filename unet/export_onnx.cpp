// A layer is one node, except the two that ONNX has no operator for: normalising the input and the activation.
#include "unet/export_onnx.hpp"

#include <onnx/onnx_pb.h>

#include <array>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "unet/inference/model_file.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

constexpr std::int64_t ir_version = 8;
constexpr std::int64_t opset = 17;

class Writer {
 public:
  explicit Writer(const Network& network) : network_(network) {
    model_.set_ir_version(ir_version);
    model_.set_producer_name("plume");
    model_.set_producer_version(version);
    model_.add_opset_import()->set_version(opset);
    graph_ = model_.mutable_graph();
    graph_->set_name("plume");
  }

  std::string write() {
    const Graph& graph = network_.graph();
    describe(graph_->add_input(), "image", graph.input.bands);
    describe(graph_->add_output(), "probability", graph.classes);
    normalize(graph.input);
    for (const Layer& layer : graph.layers) write(layer);
    const bool sigmoid = graph.activation == Activation::sigmoid;
    auto* activation = node(sigmoid ? "Sigmoid" : "Softmax", "probability", {graph.layers.back().name});
    if (!sigmoid) set(activation, "axis", std::int64_t{1});
    return model_.SerializeAsString();
  }

 private:
  static void describe(onnx::ValueInfoProto* value, const std::string& name, int channels) {
    value->set_name(name);
    auto* tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(onnx::TensorProto::FLOAT);
    tensor->mutable_shape()->add_dim()->set_dim_param("batch");
    tensor->mutable_shape()->add_dim()->set_dim_value(channels);
    tensor->mutable_shape()->add_dim()->set_dim_param("height");
    tensor->mutable_shape()->add_dim()->set_dim_param("width");
  }

  // Named as its output is.
  onnx::NodeProto* node(const char* type, const std::string& name, const std::vector<std::string>& inputs) {
    auto* made = graph_->add_node();
    made->set_op_type(type);
    made->set_name(name);
    for (const std::string& input : inputs) made->add_input(input);
    made->add_output(name);
    return made;
  }

  static onnx::AttributeProto* attribute(onnx::NodeProto* node, const char* name,
                                         onnx::AttributeProto::AttributeType type) {
    auto* made = node->add_attribute();
    made->set_name(name);
    made->set_type(type);
    return made;
  }
  static void set(onnx::NodeProto* node, const char* name, std::int64_t value) {
    attribute(node, name, onnx::AttributeProto::INT)->set_i(value);
  }
  static void set(onnx::NodeProto* node, const char* name, float value) {
    attribute(node, name, onnx::AttributeProto::FLOAT)->set_f(value);
  }
  static void set(onnx::NodeProto* node, const char* name, const char* value) {
    attribute(node, name, onnx::AttributeProto::STRING)->set_s(value);
  }
  static void set(onnx::NodeProto* node, const char* name, std::initializer_list<std::int64_t> values) {
    auto* list = attribute(node, name, onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) list->add_ints(value);
  }

  // A constant of the graph, by its name.
  std::string constant(const std::string& name, std::span<const std::int64_t> shape, std::span<const float> values) {
    auto* tensor = graph_->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t size : shape) tensor->add_dims(size);
    tensor->set_raw_data(values.data(), values.size_bytes());
    return name;
  }
  std::string parameter(const std::string& name) {
    const nn::NamedTensor tensor = network_.parameters().to_named(*network_.parameters().find(name));
    return constant(name, tensor.shape, tensor.values);
  }

  // "input", which layers read, of "image".
  void normalize(const InputSpec& input) {
    const std::int64_t shape[]{1, input.bands, 1, 1};
    std::string values = "image";
    if (!input.mean.empty()) {
      node("Sub", "input.centred", {values, constant("input.mean", shape, input.mean)});
      values = "input.centred";
    }
    if (input.std.empty()) {
      node("Identity", "input", {values});
    } else {
      node("Div", "input", {values, constant("input.std", shape, input.std)});
    }
  }

  void write(const Layer& layer) {
    switch (layer.kind) {
      case LayerKind::conv2d: return convolution("Conv", layer);
      case LayerKind::conv_transpose2d: return convolution("ConvTranspose", layer);
      case LayerKind::batch_norm: return batch_norm(layer);
      case LayerKind::relu: node("Relu", layer.name, layer.inputs); return;
      case LayerKind::max_pool: {
        auto* pool = node("MaxPool", layer.name, layer.inputs);
        set(pool, "kernel_shape", {2, 2});
        set(pool, "strides", {2, 2});
        return;
      }
      case LayerKind::upsample_nearest: return upsample(layer, "nearest", "asymmetric");
      case LayerKind::upsample_bilinear: return upsample(layer, "linear", "half_pixel");
      case LayerKind::upsample_aligned: return upsample(layer, "linear", "align_corners");
      case LayerKind::concat: set(node("Concat", layer.name, layer.inputs), "axis", std::int64_t{1}); return;
      case LayerKind::add: node("Add", layer.name, layer.inputs); return;
    }
  }

  void convolution(const char* type, const Layer& layer) {
    std::vector<std::string> inputs{layer.inputs.front(), parameter(layer.name + ".weight")};
    if (layer.bias) inputs.push_back(parameter(layer.name + ".bias"));
    auto* made = node(type, layer.name, inputs);
    const auto [top, left, bottom, right] = layer.pad;
    set(made, "kernel_shape", {layer.kernel, layer.kernel});
    set(made, "strides", {layer.stride, layer.stride});
    set(made, "pads", {top, left, bottom, right});
  }

  void batch_norm(const Layer& layer) {
    std::vector<std::string> inputs{layer.inputs.front()};
    for (const char* suffix : {".weight", ".bias", ".running_mean", ".running_var"})
      inputs.push_back(parameter(layer.name + suffix));
    set(node("BatchNormalization", layer.name, inputs), "epsilon", layer.epsilon);
  }

  void upsample(const Layer& layer, const char* mode, const char* coordinates) {
    if (!has_scales_) {
      const std::int64_t shape[]{4};
      constant("scales", shape, std::array{1.0F, 1.0F, 2.0F, 2.0F});
      has_scales_ = true;
    }
    auto* made = node("Resize", layer.name, {layer.inputs.front(), "", "scales"});
    set(made, "mode", mode);
    set(made, "coordinate_transformation_mode", coordinates);
    if (std::string_view(mode) == "nearest") set(made, "nearest_mode", "floor");
  }

  const Network& network_;
  onnx::ModelProto model_;
  onnx::GraphProto* graph_ = nullptr;
  bool has_scales_ = false;
};

}  // namespace

std::string export_onnx(const std::filesystem::path& model) {
  return Writer(load_model(model)).write();
}

}  // namespace plume::unet
