// Calls of cuDNN's backend interface, checked.
#include "kernels/cuda/cudnn/backend.hpp"

#include "kernels/base/error.hpp"

namespace plume::kernels::cuda::cudnn {
namespace {

std::vector<cudnnBackendDescriptor_t> handles(const std::vector<Descriptor>& descriptors) {
  std::vector<cudnnBackendDescriptor_t> result;
  for (const Descriptor& descriptor : descriptors) result.push_back(descriptor.handle());
  return result;
}

}  // namespace

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check(api().create_descriptor(type, &handle_));
}

Descriptor::~Descriptor() {
  if (handle_ != nullptr) static_cast<void>(api().destroy_descriptor(handle_));
}

void Descriptor::set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values) {
  const auto pointers = handles(values);
  set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, pointers.size(), pointers.data());
}

void Descriptor::finalize() {
  check(api().finalize(handle_));
}

bool Descriptor::try_finalize() {
  return api().finalize(handle_) == CUDNN_STATUS_SUCCESS;
}

std::vector<Descriptor> Descriptor::get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                                    std::size_t most) const {
  // cuDNN fills descriptors that the caller has made.
  std::vector<Descriptor> result;
  for (std::size_t i = 0; i < most; ++i) result.emplace_back(type);
  auto pointers = handles(result);
  const std::size_t found = get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, pointers.data());
  while (result.size() > found) result.pop_back();
  return result;
}

void Descriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
                         const void* values) {
  with_context(fmt::format("cuDNN attribute {}", static_cast<int>(name)),
               [&] { check(api().set_attribute(handle_, name, type, static_cast<std::int64_t>(count), values)); });
}

std::size_t Descriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
                                void* values) const {
  std::int64_t found = 0;
  with_context(fmt::format("cuDNN attribute {}", static_cast<int>(name)), [&] {
    check(api().get_attribute(handle_, name, type, static_cast<std::int64_t>(count), &found, values));
  });
  return static_cast<std::size_t>(count == 0 ? found : std::min(found, static_cast<std::int64_t>(count)));
}

}  // namespace plume::kernels::cuda::cudnn
