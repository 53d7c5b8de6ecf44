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
    if engine == "auto" and problem.num_runs * steps < LEAST_UPDATES:
        programs.request_again()
    else:
        programs.request()
    if engine == "compiled":
        programs.wait()
    return programs
