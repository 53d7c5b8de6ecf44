"""All optimizers of the catalogue, in the order in which it shows them.

Each file holds one family: kinds with description, formula, reference, ranges and defaults (torch.optim's names and
values). The file of the same name in worker/engine/optimizers/ computes them; a test compares both sides. The kind
`formula` is that of optimizers that users write; all others are built in.
"""

from typing import Annotated, get_args

from pydantic import Field

from service.spec.entry import Entry
from service.spec.optimizers.adadelta import Adadelta
from service.spec.optimizers.adafactor import Adafactor
from service.spec.optimizers.adagrad import Adagrad
from service.spec.optimizers.adam import Adam, AdamW
from service.spec.optimizers.adamax import Adamax
from service.spec.optimizers.asgd import ASGD
from service.spec.optimizers.formula import Formula
from service.spec.optimizers.muon import Muon
from service.spec.optimizers.nadam import NAdam
from service.spec.optimizers.quasi_hyperbolic import QuasiHyperbolic
from service.spec.optimizers.radam import RAdam
from service.spec.optimizers.rmsprop import RMSprop
from service.spec.optimizers.rprop import Rprop
from service.spec.optimizers.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from service.spec.optimizers.sgd import SGD, Momentum, Nesterov
from service.spec.optimizers.sign import Lion, SignSGD
from service.spec.optimizers.trust_ratio import LAMB, LARS

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
    | Muon
    | Formula,
    Field(discriminator="kind"),
]
OPTIMIZERS: tuple[type[Entry], ...] = get_args(get_args(Optimizer)[0])
BUILT_IN: tuple[type[Entry], ...] = tuple(kind for kind in OPTIMIZERS if kind is not Formula)
# All kinds of the catalogue, without those that workers offer.
KNOWN_KINDS: tuple[str, ...] = tuple(
    kind.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
    for kind in OPTIMIZERS
)
