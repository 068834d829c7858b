// A number in host memory that a CUDA stream sets as its work gets there: how far it is can be read while it runs, or hangs,
// recorded steps included. In builds without CUDA nothing here is ever called.
#pragma once

#include <memory>

#include "kernels/stream.hpp"

namespace plume::kernels {

class ProgressMark {
 public:
  // 0 at first; numbers from 0 to `most` can be set. Throws environment_error where there is no memory.
  ProgressMark(CudaStream& stream, int most);
  ProgressMark(const ProgressMark&) = delete;
  ProgressMark& operator=(const ProgressMark&) = delete;
  ~ProgressMark();

  // Queued; the stream must be done before the mark's end.
  void set(int value, CudaStream& stream);
  // Without waiting.
  [[nodiscard]] int value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plume::kernels
