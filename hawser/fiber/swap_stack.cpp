#include <hawser/fiber/swap_stack.h>

#include <cstdint>

// The control words are loaded only when they differ, since loading them is slow and they hardly ever do. The return
// goes where the processor expects it as long as the other flow was left at the same place in the program, which is the
// rule in a loop of equal fibers.
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
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
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
  .cfi_adjust_cfa_offset -8
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
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

  .globl hawser_call_on_stack
  .type hawser_call_on_stack, @function
  .balign 16
hawser_call_on_stack:
  .cfi_startproc
  endbr64
  movq %rsp, %rax
  movq %rdi, %rsp
  pushq %rax
  subq $8, %rsp
  # From here on the caller is who had called hawser_swap_stack: 64 bytes are what that has saved.
  .cfi_def_cfa %rsp, 80
  .cfi_offset %rip, -8
  .cfi_offset %rbp, -16
  .cfi_offset %rbx, -24
  .cfi_offset %r12, -32
  .cfi_offset %r13, -40
  .cfi_offset %r14, -48
  .cfi_offset %r15, -56
  movq %rdx, %rdi
  callq *%rsi
  movq 8(%rsp), %rsp
  .cfi_def_cfa %rsp, 8
  .cfi_same_value %rbp
  .cfi_same_value %rbx
  .cfi_same_value %r12
  .cfi_same_value %r13
  .cfi_same_value %r14
  .cfi_same_value %r15
  ret
  .cfi_endproc
  .size hawser_call_on_stack, . - hawser_call_on_stack
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
  .cfi_def_cfa_offset 176
  stp d8, d9, [sp, #0]
  stp d10, d11, [sp, #16]
  stp d12, d13, [sp, #32]
  stp d14, d15, [sp, #48]
  stp x19, x20, [sp, #64]
  .cfi_rel_offset x19, 64
  .cfi_rel_offset x20, 72
  stp x21, x22, [sp, #80]
  .cfi_rel_offset x21, 80
  .cfi_rel_offset x22, 88
  stp x23, x24, [sp, #96]
  .cfi_rel_offset x23, 96
  .cfi_rel_offset x24, 104
  stp x25, x26, [sp, #112]
  .cfi_rel_offset x25, 112
  .cfi_rel_offset x26, 120
  stp x27, x28, [sp, #128]
  .cfi_rel_offset x27, 128
  .cfi_rel_offset x28, 136
  stp x29, x30, [sp, #144]
  .cfi_rel_offset x29, 144
  .cfi_rel_offset x30, 152
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
  .cfi_restore x19
  .cfi_restore x20
  ldp x21, x22, [sp, #80]
  .cfi_restore x21
  .cfi_restore x22
  ldp x23, x24, [sp, #96]
  .cfi_restore x23
  .cfi_restore x24
  ldp x25, x26, [sp, #112]
  .cfi_restore x25
  .cfi_restore x26
  ldp x27, x28, [sp, #128]
  .cfi_restore x27
  .cfi_restore x28
  ldp x29, x30, [sp, #144]
  .cfi_restore x29
  .cfi_restore x30
  add sp, sp, #176
  .cfi_def_cfa_offset 0
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

  .globl hawser_call_on_stack
  .type hawser_call_on_stack, %function
  .balign 16
hawser_call_on_stack:
  .cfi_startproc
  hint #34
  mov x9, sp
  mov sp, x0
  stp x9, x30, [sp, #-16]!
  // From here on the caller is who had called hawser_swap_stack: 176 bytes are what that has saved.
  .cfi_def_cfa sp, 192
  .cfi_offset x30, -24
  .cfi_offset x29, -32
  .cfi_offset x28, -40
  .cfi_offset x27, -48
  .cfi_offset x26, -56
  .cfi_offset x25, -64
  .cfi_offset x24, -72
  .cfi_offset x23, -80
  .cfi_offset x22, -88
  .cfi_offset x21, -96
  .cfi_offset x20, -104
  .cfi_offset x19, -112
  mov x0, x2
  blr x1
  ldp x9, x30, [sp]
  mov sp, x9
  .cfi_def_cfa sp, 0
  .cfi_restore x30
  .cfi_restore x29
  .cfi_restore x28
  .cfi_restore x27
  .cfi_restore x26
  .cfi_restore x25
  .cfi_restore x24
  .cfi_restore x23
  .cfi_restore x22
  .cfi_restore x21
  .cfi_restore x20
  .cfi_restore x19
  ret
  .cfi_endproc
  .size hawser_call_on_stack, . - hawser_call_on_stack
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
