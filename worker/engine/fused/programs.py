"""Programs that are compiled in the background while torch trains.

One thread of the process traces, compiles and checks; a trainer polls it without waiting.
"""

import atexit
import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from worker.engine.fused.check import check
from worker.engine.fused.chunk import Key, key_of
from worker.engine.fused.compiler import Compiler, Unavailable
from worker.engine.fused.epoch import Program, trace
from worker.engine.fused.graph import Unsupported
from worker.engine.fused.kernel import Kernel
from worker.engine.fused.recipes import Recipe, recipe
from worker.engine.protocols import Optimizer
from worker.engine.stack.part import Part
from worker.engine.stack.stack import Stack

# Kernels that stay in memory, about 100 KB each.
MOST_KERNELS = 128

log = logging.getLogger("ravine.engine")


class Service:
    """The compiler of this process and its thread."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ends = False
        self._compiler: Compiler | None = None
        self._unavailable: str | None = None
        self._checked = threading.Event()
        self._kernels: OrderedDict[str, Kernel] = OrderedDict()
        self._known: OrderedDict[Recipe, tuple[Kernel | str, Optimizer]] = OrderedDict()
        self._seen: OrderedDict[tuple[Recipe | None, ...], int] = OrderedDict()

    def submit(self, task: Callable[[], None]) -> None:
        """Run a task in the thread, after those before it."""
        self._tasks.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="compiler", daemon=True)
            self._thread.start()
            atexit.register(self.end)

    def _work(self) -> None:
        while not self._ends:
            self._tasks.get()()

    def end(self) -> None:
        """Wait for the program that is being compiled, and leave those after it.

        A process that exits frees what LLVM and torch use, and a thread that still runs there would abort it.
        """
        if self._thread is not None:
            self._ends = True
            self._tasks.put(lambda: None)
            self._thread.join()

    def configure(self, *, enabled: bool, folder: str) -> None:
        """Begin the check of the compiler in the background, or do without it."""
        self._folder = Path(folder) if folder else None
        if not enabled:
            self._unavailable = "they are switched off"
            self._checked.set()
        self.submit(self._check)

    def is_available(self) -> bool:
        """Whether programs can be compiled; waits for the check, which takes less than a second."""
        if not self._checked.is_set():
            self.submit(self._check)
            self._checked.wait()
        return self._compiler is not None

    def _check(self) -> None:
        with suppress(Unavailable):
            self.compiler()

    def compiler(self) -> Compiler:
        """The compiler, once it has been checked against torch.

        Raises:
            Unavailable: There is none, or it gives other numbers than torch; the first time with a warning.
        """
        if self._unavailable is None and self._compiler is None:
            try:
                compiler = Compiler(self._folder)
                check(compiler)
                self._compiler = compiler
            except Unavailable as error:
                self._unavailable = str(error)
                log.warning("no compiled programs: %s; torch trains alone", error)
            except Exception as error:
                self._unavailable = f"{type(error).__name__}: {error}"
                log.exception("the compiler failed; torch trains alone")
            finally:
                self._checked.set()
        if self._compiler is None:
            raise Unavailable(self._unavailable)
        return self._compiler

    def seen(self, of: tuple[Recipe | None, ...], more: int = 1) -> int:
        """The sum of `more` of all calls with the same recipes, this one included."""
        total = self._seen[of] = self._seen.pop(of, 0) + more
        if len(self._seen) > MOST_KERNELS:
            self._seen.popitem(last=False)
        return total

    def known(self, of: Recipe | None) -> Kernel | str | None:
        """The kernel of a recipe, or the reason why there is none, if it was made before."""
        found = None if of is None else self._known.get(of)
        return None if found is None else found[0]

    def remember(self, of: Recipe | None, kernel: Kernel | str, optimizer: Optimizer) -> None:
        """Remember a kernel, or the reason why there is none, with the optimizer that the recipe names."""
        if of is not None:
            self._known[of] = kernel, optimizer
            if len(self._known) > MOST_KERNELS:
                self._known.popitem(last=False)

    def kernel(self, program: Program) -> Kernel:
        """The kernel of a program."""
        compiler, digest = self.compiler(), program.digest
        if digest not in self._kernels:
            self._kernels[digest] = Kernel(program, *compiler.function(program))
            if len(self._kernels) > MOST_KERNELS:
                self._kernels.popitem(last=False)
        self._kernels.move_to_end(digest)
        return self._kernels[digest]


@cache
def service() -> Service:
    """The one of this process."""
    return Service()


class Programs:
    """The kernels of the groups of some stacks."""

    def __init__(self, stacks: Sequence[Stack]) -> None:
        self._stacks = stacks
        # In the thread of the trainer, as it computes tables.
        self._parts = {key_of(part): (stack, part) for stack in stacks for part in stack.parts}
        widths = {stack.block.stop - stack.block.start for stack in stacks}
        self._widths = widths | {part.stop - part.start for stack in stacks for part in stack.parts}
        self._recipes = {key: recipe(stack, part, self._widths) for key, (stack, part) in self._parts.items()}
        self.kernels: dict[Key, Kernel] | None = None
        self.reason: str | None = None
        self._done = threading.Event()

    def request(self) -> None:
        """Begin in the background, unless programs of these recipes are known."""
        known = [service().known(one) for one in self._recipes.values()]
        self.reason = next((one for one in known if isinstance(one, str)), None)
        if self.reason is None and not all(isinstance(one, Kernel) for one in known):
            service().submit(self._make)
            return
        if self.reason is None:
            self.kernels = {key: one for key, one in zip(self._recipes, known, strict=True) if isinstance(one, Kernel)}
        self._end()

    def request_again(self) -> None:
        """Use the programs of these recipes if they are known; begin if their plan has been seen before."""
        self.request_from(2, 1)

    def request_from(self, least: int, more: int) -> None:
        """Begin if `more` of this plan and of those before it with the same recipes sum up to `least`."""
        if service().seen(tuple(self._recipes.values()), more) >= least:
            self.request()
        else:
            self.reason = "a small plan, seen for the first time" if more == 1 else "too little work for a program"
            self._end()

    def _end(self) -> None:
        self._stacks, self._parts = (), {}
        self._done.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the kernels are there, or will never be."""
        return self._done.wait(timeout)

    def _make(self) -> None:
        try:
            self.kernels = {key: self._kernel(key, stack, part) for key, (stack, part) in self._parts.items()}
        except (Unsupported, Unavailable) as reason:
            self.reason = str(reason)
        except Exception as error:
            self.reason = f"{type(error).__name__}: {error}"
            log.exception("compilation failed; torch trains alone")
        finally:
            self._end()

    def _kernel(self, key: Key, stack: Stack, part: Part) -> Kernel:
        compiled = service()
        compiled.compiler()
        try:
            kernel = compiled.kernel(trace(stack, part, self._widths))
        except Unsupported as reason:
            compiled.remember(self._recipes[key], str(reason), part.optimizer)
            raise
        compiled.remember(self._recipes[key], kernel, part.optimizer)
        return kernel
