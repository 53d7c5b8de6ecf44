"""How do signSGD and Lion step, which trust the sign of a gradient and not its size?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import decayed, loss_gradient


def sign_sgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """signSGD: every parameter moves by lr, in the direction in which its gradient (or its running mean) points.

    One bit for each parameter is enough to send a gradient. It never comes to rest: near a minimum it steps to and fro,
    lr wide, unless the rate decays.

        w ← (1 − lr · weight_decay) · w − lr · sign(g)
        with momentum (Signum): m ← β · m + (1 − β) · g, and sign(m) in place of sign(g)

    Arguments: lr > 0; 0 ≤ momentum (β) < 1; weight_decay ≥ 0, decoupled; maximize.
    Reference: Bernstein, Wang, Azizzadenesheli and Anandkumar, signSGD: Compressed Optimisation for Non-Convex
    Problems, 2018.
    torch.optim has no such method. As pytorch_optimizer.SignSGD, whose momentum is 0.9 unless given.
    """
    terms |= {"decoupled_weight_decay"}
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    new: State = {}
    if "momentum" in terms:
        gradient_DR = new["mean"] = torch.lerp(state["mean"], gradient_DR, rows["one_minus_momentum"])
    weights_DR = decayed(weights_DR, rows, terms)
    return torch.addcmul(weights_DR, torch.sign(gradient_DR), rows["lr"], value=-1), new


def lion(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Lion: the sign of a mean that gives the new gradient more weight than the mean that is remembered.

    Found by a search over programs. It keeps half of Adam's state; as all steps are lr in every parameter, rates are
    chosen three to ten times smaller than Adam's.

        w ← (1 − lr · weight_decay) · w − lr · sign(β₁ · m + (1 − β₁) · g)
        m ← β₂ · m + (1 − β₂) · g

    Arguments: lr > 0 (the paper's is 1e-4); 0 ≤ beta1, beta2 < 1; weight_decay ≥ 0, decoupled; maximize.
    Reference: Chen et al., Symbolic Discovery of Optimization Algorithms, 2023.
    torch.optim has no such method. As pytorch_optimizer.Lion.
    """
    terms |= {"decoupled_weight_decay"}
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    weights_DR = decayed(weights_DR, rows, terms)
    direction_DR = torch.sign(torch.lerp(state["mean"], gradient_DR, rows["one_minus_beta1"]))
    mean_DR = torch.lerp(state["mean"], gradient_DR, rows["one_minus_beta2"])
    return torch.addcmul(weights_DR, direction_DR, rows["lr"], value=-1), {"mean": mean_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    complements = {
        f"one_minus_{name}": 1 - settings[name] for name in ("momentum", "beta1", "beta2") if name in settings
    }
    return {"lr": settings["lr"], "shrink": 1 - settings["lr"] * settings["weight_decay"], **complements}


SIGN_SGD = Optimizer(
    kind="sign_sgd",
    rows=_rows,
    update=sign_sgd,
    settings={"lr": math.nan, "momentum": 0.0, "weight_decay": 0.0},
    switches=("momentum", "weight_decay"),
    flags=("maximize",),
    state_of_term={"momentum": "mean"},
    momentum="momentum",
)
LION = Optimizer(
    kind="lion",
    rows=_rows,
    update=lion,
    settings={"lr": math.nan, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("mean",),
    momentum="beta1",
)
