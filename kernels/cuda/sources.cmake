# The CUDA backend's sources, relative to this folder: nvcc builds them for the device, g++ for the emulator.
set(PLUME_CUDA_HOST_SOURCES
  check.cpp
  memory.cpp
  pixel_count.cpp
  stream.cpp)
set(PLUME_CUDA_KERNEL_SOURCES
  loss/bce.cu
  loss/dice.cu
  loss/softmax_cross_entropy.cu
  pointwise.cu
  softmax.cu)
