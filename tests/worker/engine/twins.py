"""Twins: for every kind of the registry, an optimizer of another program with equal results, for a plain loop."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytorch_optimizer
import torch

Settings = Mapping[str, float | bool]
# Pairs that others take as one argument.
PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
}


class PaperLamb(torch.optim.Optimizer):
    """Algorithm 2 of You et al., 2020, line by line; pytorch_optimizer.Lamb differs from it in three places."""

    def __init__(self, parameters: Iterable[torch.Tensor], maximize: bool = False, **settings: Any) -> None:
        self.sign = -1 if maximize else 1
        super().__init__(parameters, {"betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.01, **settings})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for x in group["params"]:
                state, g = self.state[x], self.sign * x.grad
                t = state["t"] = state.get("t", 0) + 1
                m = state["m"] = beta1 * state.get("m", torch.zeros_like(x)) + (1 - beta1) * g
                v = state["v"] = beta2 * state.get("v", torch.zeros_like(x)) + (1 - beta2) * g**2
                r = (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + group["eps"])
                step = r + group["weight_decay"] * x
                ratio = x.norm() / step.norm() if x.norm() > 0 and step.norm() > 0 else 1.0
                x -= group["lr"] * ratio * step


class PaperScheduleFreeAdamW(torch.optim.Optimizer):
    """The three points of Defazio et al., 2024, each stored separately.

    pytorch_optimizer.ScheduleFreeAdamW adds 1e-15 to the squares under the root, which neither the paper nor its
    authors' program does; where gradients are small that is more than the tolerance.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], maximize: bool = False, **settings: Any) -> None:
        self.sign = -1 if maximize else 1
        defaults = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "r": 0.0, "weight_lr_power": 2.0}
        super().__init__(parameters, {**defaults, **settings})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            t = group["t"] = group.get("t", 0) + 1
            highest = group["highest"] = max(group.get("highest", 0.0), group["lr"])
            weight = t ** group["r"] * highest ** group["weight_lr_power"]
            total = group["total"] = group.get("total", 0.0) + weight
            for y in group["params"]:
                state, g = self.state[y], self.sign * y.grad
                x, z = state.get("x", y.clone()), state.get("z", y.clone())
                v = state["v"] = beta2 * state.get("v", torch.zeros_like(y)) + (1 - beta2) * g**2
                step = g / ((v / (1 - beta2**t)).sqrt() + group["eps"]) + group["weight_decay"] * y
                z = state["z"] = z - group["lr"] * step
                x = state["x"] = (1 - weight / total) * x + weight / total * z
                y.copy_((1 - beta1) * z + beta1 * x)

    def eval(self) -> None:
        """As in pytorch_optimizer: the parameters become the point that is the result of the method."""
        for y in self.param_groups[0]["params"]:
            y.data.copy_(self.state[y]["x"])


class MuonAndAdamW:
    """torch.optim.Muon for matrices and torch.optim.AdamW for the rest, as torch's documentation combines them.

    torch iterates in bfloat16; its own code is made to do so in the matrices' dtype while it steps.
    """

    def __init__(self, parameters: Iterable[torch.Tensor], lr: float, **settings: Any) -> None:
        parameters = list(parameters)
        matrices = [parameter for parameter in parameters if parameter.ndim == 2]
        others = [parameter for parameter in parameters if parameter.ndim != 2]
        self.maximize = settings.pop("maximize", False)
        adamw = {"lr": settings.pop("adamw_lr", 1e-3), "weight_decay": settings.pop("adamw_weight_decay", 1e-2)}
        adamw |= {name: settings.pop(name) for name in ("betas", "eps") if name in settings}
        if settings.pop("match_rms_adamw", False):
            settings["adjust_lr_fn"] = "match_rms_adamw"
        self.muon = torch.optim.Muon(matrices, lr=lr, **settings)
        self.adamw = torch.optim.AdamW(others, **adamw)
        self.parameters = parameters

    def zero_grad(self) -> None:
        self.muon.zero_grad()
        self.adamw.zero_grad()

    def step(self) -> None:
        if self.maximize:
            for parameter in self.parameters:
                parameter.grad = -parameter.grad
        rounded = torch.Tensor.bfloat16
        torch.Tensor.bfloat16 = torch.Tensor.clone
        try:
            self.muon.step()
        finally:
            torch.Tensor.bfloat16 = rounded
        self.adamw.step()


def nesterov(parameters: Iterable[torch.Tensor], **settings: Any) -> torch.optim.SGD:
    return torch.optim.SGD(parameters, nesterov=True, **settings)


def adafactor(parameters: Iterable[torch.Tensor], eps2: float = 1e-3, **settings: Any) -> torch.optim.Adafactor:
    return torch.optim.Adafactor(parameters, eps=(None, eps2), **settings)


TWINS: dict[str, Callable[..., Any]] = {
    "sgd": torch.optim.SGD,
    "momentum": torch.optim.SGD,
    "nesterov": nesterov,
    "quasi_hyperbolic": pytorch_optimizer.QHM,
    "asgd": torch.optim.ASGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
    "rprop": torch.optim.Rprop,
    "adafactor": adafactor,
    "sign_sgd": pytorch_optimizer.SignSGD,
    "lion": pytorch_optimizer.Lion,
    "schedule_free_sgd": pytorch_optimizer.ScheduleFreeSGD,
    "schedule_free_adamw": PaperScheduleFreeAdamW,
    "lars": pytorch_optimizer.LARS,
    "lamb": PaperLamb,
    "muon": MuonAndAdamW,
}
# Where a default is not that of the twin: torch's momentum is 0 for SGD of every kind, and signSGD itself has none.
DEFAULTS: dict[str, Settings] = {
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9},
    "quasi_hyperbolic": {"momentum": 0.999, "nu": 0.7},
    "sign_sgd": {"momentum": 0.0},
}


def twin_settings(kind: str, settings: Settings) -> dict[str, Any]:
    """The same settings under the other program's names."""
    renamed: dict[str, Any] = {**DEFAULTS.get(kind, {}), **settings}
    for name, (first, second) in PAIRS.items():
        if first in renamed:
            renamed[name] = (renamed.pop(first), renamed.pop(second))
    return renamed
