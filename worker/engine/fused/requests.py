"""Which plans are trained by compiled programs."""

from collections.abc import Sequence
from typing import Literal

from worker.engine.fused.programs import Programs
from worker.engine.problems.flipnet import FlipNet
from worker.engine.problems.quadratic import Quadratic
from worker.engine.problems.surface import Surface
from worker.engine.stack.plan import Plan
from worker.engine.stack.stack import Stack

# Fewer updates of runs than this take torch less time than a program costs to compile: a small plan has one the second
# time that a plan of its kind is trained.
LEAST_UPDATES = 2**18
# Fewer updates than this take torch less time than a program costs to look up.
LEAST_STEPS = 20
# An operation takes 0.3 ms to compile. Torch takes twice as long for it in so many columns, and for its call as long as
# in `CALL` columns of all rows. Each rule of a user has a program of its own, and rules may be as many as requests: a
# rule is compiled once torch has trained that long with it.
WORTH, CALL = 2**20, 10_000
# "auto" trains with torch until programs are compiled, and only if that pays; "compiled" waits for them.
Engine = Literal["auto", "compiled", "torch"]


def requested(plan: Plan, stacks: Sequence[Stack], engine: Engine) -> Programs | None:
    """The programs of a plan, which are compiled in the background where that pays."""
    problem = plan.problem
    steps = plan.epochs * -(-problem.num_batches(plan.accumulate) // plan.accumulate)
    # Elsewhere batches may differ from epoch to epoch.
    has_equal_epochs = isinstance(problem, Surface | Quadratic | FlipNet) and problem.shift is None
    is_possible = has_equal_epochs and str(plan.device).startswith("cpu")
    if engine == "torch" or not is_possible or (engine == "auto" and steps < LEAST_STEPS):
        return None
    programs = Programs(stacks)
    if engine == "auto" and any(group.optimizer.kind == "formula" for group in plan.groups):
        programs.request_from(WORTH, worth(plan.epochs, problem.num_runs, problem.num_parameters))
    elif engine == "auto" and problem.num_runs * steps < LEAST_UPDATES:
        programs.request_again()
    else:
        programs.request()
    if engine == "compiled":
        programs.wait()
    return programs


def worth(epochs: int, num_runs: int, num_parameters: int) -> int:
    """The time that torch takes for each operation of an epoch's program, in columns: see `WORTH`."""
    return epochs * (num_runs + CALL // num_parameters)
