"""Which schedules are there for a learning rate or a momentum? One entry per kind."""

from worker.engine.protocols import Schedule
from worker.engine.schedules.constant import constant

SCHEDULES: dict[str, Schedule] = {"constant": constant}
