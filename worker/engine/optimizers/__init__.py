"""All optimizers, by kind. Every module of this folder is a member: its `Optimizer` objects are the kinds."""

from importlib import import_module
from pkgutil import iter_modules

from worker.engine.protocols import Optimizer

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.kind: optimizer
    for module in iter_modules(__path__)
    for optimizer in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(optimizer, Optimizer)
}
