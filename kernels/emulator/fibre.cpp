// Fibres on Boost.Context, with AddressSanitizer told of each switch.
#include "kernels/emulator/fibre.hpp"

#include <boost/context/protected_fixedsize_stack.hpp>
#include <memory>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace plume::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stack_size = 256 * 1024;
void start_switch(void** fake_stack, const void* bottom, std::size_t size) {
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}
void finish_switch(void* fake_stack, const void** bottom, std::size_t* size) {
  __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}
#else
constexpr std::size_t stack_size = 64 * 1024;
void start_switch(void**, const void*, std::size_t) {}
void finish_switch(void*, const void**, std::size_t*) {}
#endif

Fibre* running = nullptr;
Fibre* previous = nullptr;

}  // namespace

Fibre*& Fibre::current() {
  return running;
}

Fibre::Fibre(Work work) : work_(work) {
  boost::context::protected_fixedsize_stack allocator(stack_size);
  const boost::context::stack_context stack = allocator.allocate();
  stack_ = static_cast<const char*>(stack.sp) - stack.size;
  stack_bytes_ = stack.size;
  const boost::context::preallocated place(stack.sp, stack.size, stack);
  const auto run = [this](boost::context::fiber&& from) -> boost::context::fiber {
    previous->context_ = std::move(from);
    enter();
    while (true) work_();
  };
  context_ = boost::context::fiber(std::allocator_arg, place, allocator, run);
}

void Fibre::enter() {
  const void* from = nullptr;
  std::size_t bytes = 0;
  finish_switch(fake_stack_, &from, &bytes);
  if (previous->work_ == nullptr) {  // only the sanitizer knows where the host thread's stack lies
    previous->stack_ = from;
    previous->stack_bytes_ = bytes;
  }
}

void Fibre::resume() {
  Fibre* self = running;
  previous = self;
  running = this;
  start_switch(&self->fake_stack_, stack_, stack_bytes_);
  boost::context::fiber from = std::move(context_).resume();
  running = self;
  if (from) previous->context_ = std::move(from);
  self->enter();
}

}  // namespace plume::emulator
