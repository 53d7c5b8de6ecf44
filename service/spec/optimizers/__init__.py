"""Which optimizers may be asked for, with which hyper-parameters: torch.optim's names, ranges and defaults.

The engine has files of the same formulas; a test holds the names, defaults and sizes of state on both sides equal.
"""

from typing import Annotated

from pydantic import Field

from service.spec.optimizers.adam import Adam, Adamax, AdamW, NAdam, RAdam
from service.spec.optimizers.descent import ASGD, SGD, Momentum, Nesterov, QuasiHyperbolic
from service.spec.optimizers.entry import Entry
from service.spec.optimizers.muon import Muon
from service.spec.optimizers.scaled import Adadelta, Adafactor, Adagrad, RMSprop, Rprop
from service.spec.optimizers.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from service.spec.optimizers.sign import Lion, SignSGD
from service.spec.optimizers.trust_ratio import LAMB, LARS

__all__ = ["OPTIMIZERS", "Entry", "Optimizer"]

Optimizer = Annotated[
    SGD
    | Momentum
    | Nesterov
    | QuasiHyperbolic
    | ASGD
    | Adam
    | AdamW
    | NAdam
    | RAdam
    | Adamax
    | Adagrad
    | Adadelta
    | RMSprop
    | Rprop
    | Adafactor
    | SignSGD
    | Lion
    | ScheduleFreeSGD
    | ScheduleFreeAdamW
    | LARS
    | LAMB
    | Muon,
    Field(discriminator="kind"),
]
OPTIMIZERS: tuple[type[Entry], ...] = (
    SGD,
    Momentum,
    Nesterov,
    QuasiHyperbolic,
    ASGD,
    Adam,
    AdamW,
    NAdam,
    RAdam,
    Adamax,
    Adagrad,
    Adadelta,
    RMSprop,
    Rprop,
    Adafactor,
    SignSGD,
    Lion,
    ScheduleFreeSGD,
    ScheduleFreeAdamW,
    LARS,
    LAMB,
    Muon,
)
