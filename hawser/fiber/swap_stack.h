// The few instructions that move a thread from one stack to another: x86-64 (System V ABI) and AArch64 (AAPCS64).
// Internal; see switch.h for what else a switch takes.
#pragma once

#include <cstddef>

namespace hawser::detail {

// Saves the callee-saved registers, the floating-point control words and the stack pointer (into *save), and goes on
// where `load` was saved, or at the beginning of a fresh stack.
extern "C" void hawser_swap_stack(void** save, void* load) noexcept;

// Calls function(argument) below what a suspended flow has saved (what hawser_swap_stack() stored in *save, or a fresh
// stack), on that stack, and returns. To an unwinder the function's caller is the place where the flow was suspended.
// The function must not throw, switch or be instrumented.
extern "C" void hawser_call_on_stack(void* saved, void (*function)(void*), void* argument) noexcept;

// A stack on which hawser_swap_stack() starts entry(argument), which must never return. top is the high end; what lies
// above it stays untouched. The control words are the caller's.
[[nodiscard]] void* fresh_stack(std::byte* top, void (*entry)(void* argument), void* argument) noexcept;

}  // namespace hawser::detail
