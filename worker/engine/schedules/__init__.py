"""Which schedules are there for a learning rate or a momentum? One entry per kind.

Each is a pure function of time. What counts as a step, and the warm-up before the first, are the course's business.
"""

from worker.engine.protocols import Schedule
from worker.engine.schedules.constant import constant
from worker.engine.schedules.cosine import cosine
from worker.engine.schedules.one_cycle import one_cycle
from worker.engine.schedules.piecewise import piecewise
from worker.engine.schedules.polynomial import polynomial
from worker.engine.schedules.step import exponential, step
from worker.engine.schedules.warmup_stable_decay import warmup_stable_decay

SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "polynomial": polynomial,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "warmup_stable_decay": warmup_stable_decay,
    "piecewise": piecewise,
}
