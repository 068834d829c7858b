// The mark of functions that run on the host and in CUDA kernels alike.
#pragma once

#ifdef __CUDACC__
#define PLUME_HD __host__ __device__
#else
#define PLUME_HD
#endif
