"""Classes of torch.optim.Optimizer that a package could have, for tests of kinds from installed classes."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

PATH = "tests.installed_classes"


class Own(Optimizer):
    """Momentum, with arguments of all sorts."""

    def __init__(
        self,
        params: Any,
        lr: float = 0.02,
        betas: tuple[float, float] = (0.9, 0.5),
        eps: float = 1e-8,
        every: int = 3,
        weight_decay: float = 0,
        centre: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        norm: str = "l2",
        hook: Callable[[], None] = print,
    ) -> None:
        if not 0 <= betas[0] < 1 or not 0 <= betas[1] <= 1 or eps <= 0:
            raise ValueError("out of range")
        super().__init__(params, {"lr": lr, "betas": betas, "decay": weight_decay, "centre": centre, "every": every})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for one in group["params"]:
                state = self.state[one]
                beta, share = group["betas"]
                g = one.grad + group["decay"] * one
                if group["centre"]:
                    g = g - g.mean()
                state["t"] = state.get("t", 0) + 1
                state["v"] = beta * state.get("v", torch.zeros_like(one)) + g
                # A power with a fractional exponent differs in the last lanes of a register.
                step = share * state["v"] + (1 - share) * g.sign() * g.abs() ** 0.7
                if state["t"] % group["every"] == 0:
                    step = step + state["v"]
                one.sub_(group["lr"] * step)


class Normalised(Own):
    """Divides by the norm of the whole tensor; the norm of the last step is kept."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for one in self.param_groups[0]["params"]:
            one.grad = one.grad / (1e-6 + one.grad.norm())
        super().step()


class Replacing(Own):
    """Replaces its parameters, keeps gradients without a copy, and refuses those that are not finite."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for one in self.param_groups[0]["params"]:
            if not bool(torch.isfinite(one.grad).all()):
                raise ValueError("the gradient is not finite")
            before = self.state[one].get("before", one.grad)
            self.state[one]["before"] = one.grad
            one.data = one.data - self.param_groups[0]["lr"] * (one.grad + 0.5 * before)


class Random(Own):
    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        super().step()
        for one in self.param_groups[0]["params"]:
            one.add_(1e-3 * torch.randn_like(one))


class Forgetful(Own):
    """Keeps state outside of `state`."""

    def __init__(self, params: Any, lr: float = 0.02) -> None:
        super().__init__(params, lr)
        self.num = 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        self.num += 1
        for one in self.param_groups[0]["params"]:
            one.sub_(self.param_groups[0]["lr"] / self.num * one.grad)


class Shared(Own):
    """All optimizers of the class count together."""

    num = 0

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        Shared.num += 1
        for one in self.param_groups[0]["params"]:
            one.sub_(self.param_groups[0]["lr"] / Shared.num * one.grad)


class Asks(Own):
    @torch.no_grad()
    def step(self, closure: Any) -> None:  # type: ignore[override]
        closure()


class Unbounded(Own):
    def __init__(self, params: Any, lr: float, num_steps: int) -> None:
        super().__init__(params, lr)


class Rateless(Own):
    def __init__(self, params: Any, radius: float = 1.0) -> None:
        super().__init__(params, radius)


class Fixed(Own):
    """Reads its learning rate once."""

    def __init__(self, params: Any, lr: float = 0.02) -> None:
        super().__init__(params, lr)
        self.rate = lr

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for one in self.param_groups[0]["params"]:
            one.sub_(self.rate * one.grad)


class Averaged(Own):
    """Has another point as its result."""

    def train(self) -> None: ...

    def eval(self) -> None: ...
