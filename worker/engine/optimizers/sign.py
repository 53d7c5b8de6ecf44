"""signSGD and Lion, which use the sign of a gradient and not its size."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import decayed, loss_gradient


def sign_sgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Moves every parameter by lr in the direction of its gradient or of its running mean.

    Near a minimum it oscillates with an amplitude of lr unless the learning rate decays.

        w ← (1 − lr · weight_decay) · w − lr · sign(g)
        with momentum (Signum): m ← β · m + (1 − β) · g, and sign(m) in place of sign(g)

    torch.optim has no such method. As pytorch_optimizer.SignSGD, whose momentum is 0.9 unless given.
    """
    terms |= {"decoupled_weight_decay"}
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    new: State = {}
    if "momentum" in terms:
        gradient_DR = new["mean"] = torch.lerp(state["mean"], gradient_DR, coefficients["one_minus_momentum"])
    weights_DR = decayed(weights_DR, coefficients, terms)
    return torch.addcmul(weights_DR, torch.sign(gradient_DR), coefficients["lr"], value=-1), new


def lion(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """The sign of a mean in which the newest gradient has a larger weight than in the stored mean.

    It has half of Adam's state. Every step is lr in every parameter, so learning rates are three to ten times smaller
    than Adam's.

        w ← (1 − lr · weight_decay) · w − lr · sign(β₁ · m + (1 − β₁) · g)
        m ← β₂ · m + (1 − β₂) · g

    torch.optim has no such method. As pytorch_optimizer.Lion.
    """
    terms |= {"decoupled_weight_decay"}
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    weights_DR = decayed(weights_DR, coefficients, terms)
    direction_DR = torch.sign(torch.lerp(state["mean"], gradient_DR, coefficients["one_minus_beta1"]))
    mean_DR = torch.lerp(state["mean"], gradient_DR, coefficients["one_minus_beta2"])
    return torch.addcmul(weights_DR, direction_DR, coefficients["lr"], value=-1), {"mean": mean_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    complements = {f"one_minus_{name}": 1 - hyper[name] for name in ("momentum", "beta1", "beta2") if name in hyper}
    return {"lr": hyper["lr"], "shrink": 1 - hyper["lr"] * hyper["weight_decay"], **complements}


SIGN_SGD = Optimizer(
    kind="sign_sgd",
    coefficients=_coefficients,
    update=sign_sgd,
    hyper_parameters=("lr", "momentum", "weight_decay"),
    switches=("momentum", "weight_decay"),
    state_of_term={"momentum": "mean"},
    momentum="momentum",
)
LION = Optimizer(
    kind="lion",
    coefficients=_coefficients,
    update=lion,
    hyper_parameters=("lr", "beta1", "beta2", "weight_decay"),
    switches=("weight_decay",),
    state=("mean",),
    momentum="beta1",
)
