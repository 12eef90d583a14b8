#include <hawser/fiber/swap_stack.h>

#include <cstdint>

// A return instruction would be mispredicted each time, for the processor expects it to go to where we were called
// from: the jump through a register is predicted by history. The control words are loaded only when they differ, since
// loading them is slow and they hardly ever do.
#if defined(__x86_64__)

asm(R"(
  .text
  .globl hawser_swap_stack
  .type hawser_swap_stack, @function
  .balign 16
hawser_swap_stack:
  .cfi_startproc
  endbr64
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movl (%rsp), %eax
  movzwl 4(%rsp), %ecx
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  cmpl (%rsp), %eax
  je 1f
  ldmxcsr (%rsp)
1:
  cmpw 4(%rsp), %cx
  je 2f
  fldcw 4(%rsp)
2:
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .cfi_endproc
  .size hawser_swap_stack, . - hawser_swap_stack

  .globl hawser_start_stack
  .type hawser_start_stack, @function
  .balign 16
hawser_start_stack:
  .cfi_startproc
  .cfi_undefined rip
  endbr64
  movq %r12, %rdi
  callq *%r13
  ud2
  .cfi_endproc
  .size hawser_start_stack, . - hawser_start_stack
)");

#elif defined(__aarch64__)

asm(R"(
  .text
  .globl hawser_swap_stack
  .type hawser_swap_stack, %function
  .balign 16
hawser_swap_stack:
  .cfi_startproc
  hint #34
  sub sp, sp, #176
  stp d8, d9, [sp, #0]
  stp d10, d11, [sp, #16]
  stp d12, d13, [sp, #32]
  stp d14, d15, [sp, #48]
  stp x19, x20, [sp, #64]
  stp x21, x22, [sp, #80]
  stp x23, x24, [sp, #96]
  stp x25, x26, [sp, #112]
  stp x27, x28, [sp, #128]
  stp x29, x30, [sp, #144]
  mrs x9, fpcr
  str x9, [sp, #160]
  mov x10, sp
  str x10, [x0]
  mov sp, x1
  ldr x11, [sp, #160]
  cmp x9, x11
  b.eq 1f
  msr fpcr, x11
1:
  ldp d8, d9, [sp, #0]
  ldp d10, d11, [sp, #16]
  ldp d12, d13, [sp, #32]
  ldp d14, d15, [sp, #48]
  ldp x19, x20, [sp, #64]
  ldp x21, x22, [sp, #80]
  ldp x23, x24, [sp, #96]
  ldp x25, x26, [sp, #112]
  ldp x27, x28, [sp, #128]
  ldp x29, x30, [sp, #144]
  add sp, sp, #176
  ret
  .cfi_endproc
  .size hawser_swap_stack, . - hawser_swap_stack

  .globl hawser_start_stack
  .type hawser_start_stack, %function
  .balign 16
hawser_start_stack:
  .cfi_startproc
  .cfi_undefined x30
  hint #36
  mov x0, x19
  blr x20
  brk #1
  .cfi_endproc
  .size hawser_start_stack, . - hawser_start_stack
)");

#else
#error "hawser has no context switch for this processor: x86-64 and AArch64 are supported"
#endif

extern "C" void hawser_start_stack();

namespace hawser::detail {

void* fresh_stack(std::byte* top, void (*entry)(void*), void* argument) noexcept {
  auto at = reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15};
  const auto word = [](auto* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); };
#if defined(__x86_64__)
  std::uint32_t mxcsr = 0;
  std::uint16_t x87 = 0;
  asm volatile("stmxcsr %0" : "=m"(mxcsr));
  asm volatile("fnstcw %0" : "=m"(x87));
  at -= 10 * 8;
  auto* frame = reinterpret_cast<std::uintptr_t*>(at);
  frame[0] = mxcsr | (std::uintptr_t{x87} << 32);
  frame[1] = frame[2] = 0;    // r15, r14
  frame[3] = word(entry);     // r13
  frame[4] = word(argument);  // r12
  frame[5] = frame[6] = 0;    // rbx, rbp: the end of the chain of frames
  frame[7] = word(&hawser_start_stack);
  frame[8] = frame[9] = 0;  // at hawser_start_stack the stack is aligned to 16
#elif defined(__aarch64__)
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  at -= 176;
  auto* frame = reinterpret_cast<std::uintptr_t*>(at);
  for (int i = 0; i < 22; ++i) frame[i] = 0;
  frame[8] = word(argument);              // x19
  frame[9] = word(entry);                 // x20
  frame[19] = word(&hawser_start_stack);  // x30
  frame[20] = control;
#endif
  return frame;
}

}  // namespace hawser::detail
