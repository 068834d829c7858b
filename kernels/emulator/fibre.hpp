// A fibre: a stack of its own to run kernel threads on, resumed from any other fibre.
#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>

namespace plume::emulator {

// Fibres are resumed by the host thread that holds the runtime's lock; each runs `work` over and over and lives until the
// process ends: AddressSanitizer has no way to leave a stack for good and still return from it.
class Fibre {
 public:
  using Work = void (*)();
  // The host thread's own stack, while it runs kernels.
  Fibre() = default;
  explicit Fibre(Work work);
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Leaves the current fibre, and returns when another resumes it.
  void resume();
  // What runs now; null outside of kernels until the host thread's fibre is entered.
  static Fibre*& current();

 private:
  void enter();

  boost::context::fiber context_;
  Work work_ = nullptr;
  const void* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  void* fake_stack_ = nullptr;  // AddressSanitizer's
};

}  // namespace plume::emulator
