"""Which optimizers are there? One entry per kind; a new one is a file, a line here, and it meets the contract suite."""

from worker.engine.optimizers import adagrad, adam, rmsprop, sgd
from worker.engine.protocols import Optimizer

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.kind: optimizer
    for optimizer in (
        sgd.SGD,
        sgd.MOMENTUM,
        sgd.NESTEROV,
        adam.ADAM,
        adam.ADAMW,
        rmsprop.RMSPROP,
        adagrad.ADAGRAD,
    )
}
