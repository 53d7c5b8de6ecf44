"""Update rules of methods that are not built in, as entries of a job and as runs of the engine."""

from collections.abc import Mapping
from typing import Any

from service.spec.optimizers.formula import Formula as Entry
from service.spec.schedules import Constant
from worker.engine.optimizers.formula import PARAMETER
from worker.plan import formula_of

RULES: dict[str, dict[str, Any]] = {
    "noisy heavy ball": {
        "state": {"v": 0},
        "parameters": {"beta": 0.8, "noise": 0.02},
        "update": ["v = beta*v + g + noise*normal", "w = w - lr*v"],
    },
    "centralised": {
        "state": {"v": 0},
        "parameters": {"beta": 0.9},
        "update": ["c = g - tensor_mean(g)", "v = beta*v + c", "w = w - lr*v"],
    },
    "normalised": {"parameters": {"eps": 1e-3}, "update": ["w = w - lr*g/(norm(g) + eps)"]},
    "layers": {
        "state": {"m": 0, "start": "w"},
        "parameters": {"beta": 0.7, "pull": 0.01},
        "update": [
            "m = (1 - beta)*g + beta*m",
            "ratio = where(tensor_norm(w) > 0.1, tensor_norm(w)/(tensor_norm(m) + 1e-6), 1)",
            "w = w - lr*ratio*m - lr*pull*(w - start)",
        ],
    },
    "belief": {
        "state": {"m": 0, "s": 0},
        "parameters": {"beta1": 0.9, "beta2": 0.99, "eps": 1e-6},
        "update": [
            "m = beta1 m + (1 - beta1)g",
            "s = beta2 s + (1 - beta2)(g - m)² + eps",
            "w = w - lr*(m/(1 - beta1^t))/(√(s/(1 - beta2^t)) + eps)",
        ],
    },
    "fractional": {
        "state": {"s": 1e-4},
        "parameters": {"p": 0.37, "beta": 0.97},
        "update": [
            "s = beta*s + (1 - beta)*|g|^1.7",
            "w = w - lr*sigmoid(3*t/(t + 10))*tanh(g)/(s**p + 0.1*exp(-t/20))",
        ],
    },
    "aligned": {
        "state": {"previous": 0, "rate": 1.0},
        "parameters": {"up": 1.1, "down": 0.6},
        "update": [
            "same = dot(g, previous)/(norm(g)*norm(previous) + 1e-12)",
            "rate = min(max(rate*where(same >= 0, up, down), 0.1), 5)",
            "previous = g",
            "w = w - lr*rate*g",
        ],
    },
    "cautious": {
        "state": {"m": 0},
        "parameters": {"beta1": 0.9, "beta2": 0.95},
        "update": [
            "u = sign(beta1*m + (1 - beta1)*g)",
            "agree = where(u*g > 0, 1, 0)",
            "w = w - lr*u*agree/max(mean(agree), 0.1)",
            "m = beta2*m + (1 - beta2)*g",
        ],
    },
    "yogi": {
        "state": {"m": 0, "v": 1e-6},
        "parameters": {"beta1": 0.9, "beta2": 0.99, "eps": 1e-3},
        "update": [
            "m = beta1 m + (1 - beta1) g",
            "v = v - (1 - beta2)*sign(v - g²)*g²",
            "w = w - lr*(m/(1 - beta1^t))/(sqrt(v/(1 - beta2^t)) + eps)",
        ],
    },
    "quasi-hyperbolic adam": {
        "state": {"m": 0, "v": 0},
        "parameters": {"nu1": 0.7, "nu2": 0.95, "beta1": 0.95, "beta2": 0.98, "eps": 1e-6},
        "update": [
            "m = beta1*m + (1 - beta1)*g",
            "v = beta2*v + (1 - beta2)*g^2",
            "a = m/(1 - beta1^t)",
            "b = v/(1 - beta2^t)",
            "w = w - lr*((1 - nu1)*g + nu1*a)/(sqrt((1 - nu2)*g^2 + nu2*b) + eps)",
        ],
    },
    "signum": {
        "state": {"m": 0},
        "parameters": {"beta": 0.9, "decay": 0.1},
        "update": ["m = beta*m + (1 - beta)*g", "w = (1 - lr*decay)*w - lr*sign(m)*tensor_mean(|m|)"],
    },
    "adan": {
        "state": {"m": 0, "d": 0, "v": 0, "before": 0},
        "parameters": {"b1": 0.1, "b2": 0.2, "b3": 0.05, "eps": 1e-6, "decay": 0.02},
        "update": [
            "diff = where(t > 1, g - before, 0)",
            "m = (1 - b1)*m + b1*g",
            "d = (1 - b2)*d + b2*diff",
            "v = (1 - b3)*v + b3*(g + (1 - b2)*diff)^2",
            "before = g",
            "w = (w - lr/(sqrt(v) + eps)*(m + (1 - b2)*d))/(1 + lr*decay)",
        ],
    },
}


def entry(name: str, **fields: Any) -> dict[str, Any]:
    """An entry of a job with a rule of this name; `parameters` replace those of the rule."""
    rule = RULES[name]
    parameters = {**rule.get("parameters", {}), **fields.pop("parameters", {})}
    return {"kind": "formula", "label": name, "lr": 0.01, **rule, "parameters": parameters, **fields}


def own(name: str, lr: float) -> tuple[str, dict[str, Any]]:
    """Settings of a run with a rule, as tests/groups.py takes them."""
    return "formula", settings_of(entry(name, lr=lr))


def settings_of(written: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run of any entry of the kind formula whose parameters are numbers."""
    parsed = Entry.model_validate({**written})
    assert parsed.schedule == Constant()
    parameters = {PARAMETER + name: value for name, value in parsed.parameters.items()}
    return {"formula": formula_of(parsed), "lr": parsed.lr, **parsed.flags(), **parsed.clipping(), **parameters}
