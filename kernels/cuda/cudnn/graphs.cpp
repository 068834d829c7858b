// Builds operation graphs for cuDNN's backend interface.
// Source of the attributes: NVIDIA, "cuDNN Backend API", descriptor types.
#include "kernels/cuda/cudnn/graphs.hpp"

#include <utility>

namespace plume::kernels::cuda::cudnn {
namespace {

// Names tensors between a graph and the pointers that it is executed with.
enum class Role : std::int64_t { image = 1, weight, output, sum, bias, convolved, summed, biased };

cudnnDataType_t data_type(DType type) {
  return type == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

struct TensorShape {
  std::int64_t n, c, h, w;
};

struct TensorKind {
  cudnnDataType_t type;
  bool intermediate = false;  // "virtual": never in memory
  std::int64_t alignment = 16;
};

// cuDNN names dimensions in the order n, c, h, w; the strides make it NHWC. Weights have k for n.
Descriptor make_tensor(Role role, const TensorShape& shape, const TensorKind& kind) {
  const auto [n, c, h, w] = shape;
  Descriptor tensor(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, static_cast<std::int64_t>(role));
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, kind.type);
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kind.alignment);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::array{n, c, h, w});
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, std::array{h * w * c, std::int64_t{1}, w * c, c});
  tensor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, kind.intermediate);
  tensor.finalize();
  return tensor;
}

TensorShape output_shape(const ConvProblem& problem) {
  return {problem.n, problem.k, problem.output_h(), problem.output_w()};
}

Descriptor make_image(const ConvProblem& problem) {
  return make_tensor(Role::image, {problem.n, problem.c, problem.h, problem.w}, {data_type(problem.type)});
}

Descriptor make_weight(const ConvProblem& problem) {
  const int side = problem.geometry.kernel;
  return make_tensor(Role::weight, {problem.k, problem.c, side, side}, {data_type(problem.type)});
}

Descriptor make_output(const ConvProblem& problem) {
  return make_tensor(Role::output, output_shape(problem), {data_type(problem.type)});
}

// Between fused operations values are f32.
Descriptor make_intermediate(Role role, const ConvProblem& problem) {
  return make_tensor(role, output_shape(problem), {CUDNN_DATA_FLOAT, true});
}

Descriptor make_convolution(const ConvGeometry& geometry) {
  using Pair = std::array<std::int64_t, 2>;
  Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  convolution.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  convolution.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Pair{geometry.pad[0], geometry.pad[1]});
  convolution.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Pair{geometry.pad[2], geometry.pad[3]});
  convolution.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, Pair{1, 1});
  convolution.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, Pair{geometry.stride, geometry.stride});
  convolution.finalize();
  return convolution;
}

// y = x + b, with b broadcast where its dimensions are 1; or y = mode(x) where b is null.
Descriptor make_pointwise(cudnnPointwiseMode_t mode, const Descriptor& x, const Descriptor* b, const Descriptor& y) {
  Descriptor pointwise(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  pointwise.set(CUDNN_ATTR_POINTWISE_MODE, mode);
  pointwise.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
  pointwise.finalize();

  Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
  if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  operation.finalize();
  return operation;
}

Descriptor make_forward(const ConvProblem& problem, const Descriptor& y) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, make_convolution(problem.geometry));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, make_image(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, make_weight(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F);
  operation.finalize();
  return operation;
}

// The chain conv -> + sum -> + bias -> relu, without the links that are not asked for: cuDNN's ConvBiasAct pattern.
std::vector<Descriptor> make_forward_chain(const ConvProblem& problem) {
  struct Link {
    cudnnPointwiseMode_t mode;
    Role result;
    std::vector<Descriptor> operand;
  };
  std::vector<Link> links;
  if (problem.sum) {
    auto& link = links.emplace_back(Link{CUDNN_POINTWISE_ADD, Role::summed, {}});
    link.operand.push_back(make_tensor(Role::sum, output_shape(problem), {data_type(problem.type)}));
  }
  if (problem.bias) {
    auto& link = links.emplace_back(Link{CUDNN_POINTWISE_ADD, Role::biased, {}});
    link.operand.push_back(
        make_tensor(Role::bias, {1, problem.k, 1, 1}, {CUDNN_DATA_FLOAT, false, problem.bias_alignment}));
  }
  if (problem.relu) links.push_back({CUDNN_POINTWISE_RELU_FWD, Role::output, {}});

  std::vector<Descriptor> operations;
  Descriptor x = links.empty() ? make_output(problem) : make_intermediate(Role::convolved, problem);
  operations.push_back(make_forward(problem, x));
  for (std::size_t i = 0; i < links.size(); ++i) {
    const bool last = i + 1 == links.size();
    Descriptor y = last ? make_output(problem) : make_intermediate(links[i].result, problem);
    const Descriptor* b = links[i].operand.empty() ? nullptr : links[i].operand.data();
    operations.push_back(make_pointwise(links[i].mode, x, b, y));
    x = std::move(y);
  }
  return operations;
}

Descriptor make_backward_data(const ConvProblem& problem) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, make_convolution(problem.geometry));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, make_weight(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, make_output(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, make_image(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0F);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0F);
  operation.finalize();
  return operation;
}

Descriptor make_backward_weight(const ConvProblem& problem) {
  Descriptor operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, make_convolution(problem.geometry));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, make_image(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, make_output(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, make_weight(problem));
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0F);
  operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0F);
  operation.finalize();
  return operation;
}

}  // namespace

std::vector<Descriptor> make_operations(const ConvProblem& problem) {
  if (problem.direction == ConvDirection::forward) return make_forward_chain(problem);
  std::vector<Descriptor> operations;
  operations.push_back(problem.direction == ConvDirection::backward_data ? make_backward_data(problem)
                                                                         : make_backward_weight(problem));
  return operations;
}

Descriptor make_graph(const std::vector<Descriptor>& operations, cudnnHandle_t handle) {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
  if (handle != nullptr) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
  graph.finalize();
  return graph;
}

Descriptor make_variant_pack(const ConvProblem& problem, const ConvOperands& operands, void* workspace) {
  std::vector<std::int64_t> ids;
  std::vector<void*> pointers;
  const auto bind = [&](Role role, const void* pointer, bool computed) {
    ids.push_back(static_cast<std::int64_t>(role));
    pointers.push_back(computed ? operands.result : const_cast<void*>(pointer));  // cuDNN's interface has no const
  };
  bind(Role::image, operands.image, problem.direction == ConvDirection::backward_data);
  bind(Role::weight, operands.weight, problem.direction == ConvDirection::backward_weight);
  bind(Role::output, operands.output, problem.direction == ConvDirection::forward);
  if (problem.sum) bind(Role::sum, operands.sum, false);
  if (problem.bias) bind(Role::bias, operands.bias, false);

  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
  pack.finalize();
  return pack;
}

}  // namespace plume::kernels::cuda::cudnn
