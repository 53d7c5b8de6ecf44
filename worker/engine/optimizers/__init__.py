"""Which optimizers are there? One entry per kind; a new one is a file, a line here, and it meets the contract suite."""

from worker.engine.optimizers import (
    adadelta,
    adafactor,
    adagrad,
    adam,
    adamax,
    asgd,
    muon,
    nadam,
    quasi_hyperbolic,
    radam,
    rmsprop,
    rprop,
    schedule_free,
    sgd,
    sign,
    trust_ratio,
)
from worker.engine.protocols import Optimizer

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.kind: optimizer
    for optimizer in (
        sgd.SGD,
        sgd.MOMENTUM,
        sgd.NESTEROV,
        quasi_hyperbolic.QUASI_HYPERBOLIC,
        asgd.ASGD,
        adam.ADAM,
        adam.ADAMW,
        nadam.NADAM,
        radam.RADAM,
        adamax.ADAMAX,
        adagrad.ADAGRAD,
        adadelta.ADADELTA,
        rmsprop.RMSPROP,
        rprop.RPROP,
        adafactor.ADAFACTOR,
        sign.SIGN_SGD,
        sign.LION,
        schedule_free.SCHEDULE_FREE_SGD,
        schedule_free.SCHEDULE_FREE_ADAMW,
        trust_ratio.LARS,
        trust_ratio.LAMB,
        muon.MUON,
    )
}
