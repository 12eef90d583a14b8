"""Fibers in gdb: `source scripts/gdb_fibers.py`, then

  fibers         lists every fiber of every loop: number, loop, name, state and what it waits for
  fiber N bt     the stack of fiber N, parked or running

Works in a live process and on a core file that the kernel wrote (gdb's own generate-core-file stops at the guards between
stacks), and needs no debugging information of hawser: the program itself says where
its fibers are (hawser/fiber/debug_layout.h). The stack of a *running* fiber is what `bt` shows on its loop's thread.
"""

import struct

import gdb
import gdb.unwinder

NAMES = ("version newest_loop loop_made_before loop_index loop_running loop_live fiber_next_live fiber_saved_stack "
         "fiber_task fiber_waiter task_name waiter_what waiter_fd waiter_state").split()
VERSION = 1
PARKED = 1

# What a switch saves, by offset from where it left the stack pointer (hawser/fiber/swap_stack.cpp), and what the stack
# pointer was before.
X86_64 = ({"r15": 8, "r14": 16, "r13": 24, "r12": 32, "rbx": 40, "rbp": 48, "rip": 56}, "rsp", 64)
AARCH64 = ({f"x{19 + i}": 64 + 8 * i for i in range(12)} | {"pc": 152}, "sp", 176)


def read(address: int, form: str):
    return struct.unpack(form, bytes(gdb.selected_inferior().read_memory(address, struct.calcsize(form))))[0]


def pointer(address: int) -> int:
    return read(address, "<Q")


def text(address: int) -> str:
    found = bytearray()
    while len(found) < 200 and (byte := read(address + len(found), "B")):
        found.append(byte)
    return found.decode(errors="replace")


class Layout:
    def __init__(self):
        try:
            at = int(gdb.parse_and_eval("(unsigned long)&hawser_debug_layout"))
        except gdb.error:
            raise gdb.GdbError("no hawser in this program")
        for number, name in enumerate(NAMES):
            setattr(self, name, pointer(at + 8 * number))
        if self.version == 0:
            raise gdb.GdbError("the program has not begun")
        if self.version != VERSION:
            raise gdb.GdbError(f"the program is of another version of hawser ({self.version}) than this script ({VERSION})")


class Fiber:
    def __init__(self, layout: Layout, address: int, loop: int):
        task = pointer(address + layout.fiber_task)
        waiter = pointer(address + layout.fiber_waiter)
        self.loop = read(loop + layout.loop_index, "<i")
        self.name = text(task + layout.task_name) if task else ""
        self.saved = pointer(address + layout.fiber_saved_stack)
        self.running = pointer(loop + layout.loop_running) == address
        self.state = "running" if self.running else "ready"
        if waiter and not self.running and read(waiter + layout.waiter_state, "<I") == PARKED:
            fd = read(waiter + layout.waiter_fd, "<i")
            self.state = f"parked in {text(pointer(waiter + layout.waiter_what))}" + (f" (fd {fd})" if fd >= 0 else "")


def all_fibers() -> list[Fiber]:
    layout = Layout()
    found = []
    loop = pointer(layout.newest_loop)
    while loop:
        fiber = pointer(loop + layout.loop_live)
        while fiber:
            found.append(Fiber(layout, fiber, loop))
            fiber = pointer(fiber + layout.fiber_next_live)
        loop = pointer(loop + layout.loop_made_before)
    return sorted(found, key=lambda fiber: fiber.loop)


class FromSaved(gdb.unwinder.Unwinder):
    """Makes the caller of the innermost frame the place where a fiber was left."""

    def __init__(self, saved: int):
        super().__init__("hawser-fiber")
        registers, self.stack_pointer, self.saved_bytes = (
            AARCH64 if "aarch64" in gdb.selected_frame().architecture().name() else X86_64)
        self.saved = saved
        self.registers = registers
        self.innermost = int(gdb.newest_frame().read_register(self.stack_pointer))

    def __call__(self, pending):
        if int(pending.read_register(self.stack_pointer)) != self.innermost:
            return None

        class Id:
            sp = gdb.Value(self.saved)
            pc = gdb.Value(pointer(self.saved + self.registers.get("rip", self.registers.get("pc", 0))))

        info = pending.create_unwind_info(Id())
        values = {name: pointer(self.saved + offset) for name, offset in self.registers.items()}
        values[self.stack_pointer] = self.saved + self.saved_bytes
        for name, value in values.items():
            info.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return info


def backtrace_of(saved: int) -> list[str]:
    unwinder = FromSaved(saved)
    gdb.unwinder.register_unwinder(None, unwinder, replace=True)
    gdb.invalidate_cached_frames()
    try:
        return gdb.execute("backtrace", to_string=True).splitlines()[1:]  # without the frame that was hung before it
    finally:
        unwinder.enabled = False
        gdb.invalidate_cached_frames()


class Fibers(gdb.Command):
    """fibers: every fiber of every loop."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for number, fiber in enumerate(all_fibers(), 1):
            print(f"{number:4} loop {fiber.loop}  '{fiber.name}' {fiber.state}")


class FiberCommand(gdb.Command):
    """fiber N bt: the stack of fiber number N, as `fibers` counts."""

    def __init__(self):
        super().__init__("fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split()
        fibers = all_fibers()
        if len(words) != 2 or words[1] not in ("bt", "backtrace") or not words[0].isdigit():
            raise gdb.GdbError("fiber N bt")
        if not 1 <= int(words[0]) <= len(fibers):
            raise gdb.GdbError(f"there are {len(fibers)} fibers")
        fiber = fibers[int(words[0]) - 1]
        if fiber.running:
            print(f"it is running: `bt` on the thread of loop {fiber.loop} shows it")
            return
        for line in backtrace_of(fiber.saved):
            print(line)


Fibers()
FiberCommand()
