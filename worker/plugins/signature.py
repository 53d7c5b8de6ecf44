"""Hyper-parameters of an installed class, read from the arguments of its constructor.

Numbers and flags with a default are hyper-parameters. A tuple of numbers is several: `betas` is `beta1`, `beta2`.
"""

import inspect
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import Parameter

from service.spec.offers import HyperParameter
from service.spec.plugin import Plugin as Entry
from worker.engine.updates.plugin import Argument, Class, Plugin

LONGEST_TUPLE = 4
USUAL_RATE = 1e-3
# Arguments of torch.optim that choose how a step is computed, not what it computes.
_SWITCHES = ("foreach", "fused", "capturable", "differentiable")
_OF_RUNS = {"maximize": "entries have a field maximize"}
# Values at which constructors are called to find the bounds that they check.
_BELOW, _ZERO, _ONE, _ABOVE = -1.0, 0.0, 1.0, 2.0


class Unfit(Exception):
    """A class cannot be a kind; the text is the reason."""


@dataclass(frozen=True)
class Signature:
    """The hyper-parameters of a class, and the arguments that are none, each with the reason.

    Attributes:
        defaults: By name, `lr` included.
    """

    plugin: Plugin
    hyper_parameters: tuple[HyperParameter, ...]
    defaults: Mapping[str, float | bool]
    left_out: Mapping[str, str]


def read(kind: str, make: Class) -> Signature:
    """Read the constructor of a class.

    Raises:
        Unfit: An argument has no default, or there is no learning rate.
    """
    _, *others = inspect.signature(make).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = {one.name: one for one in others if one.kind not in variable}
    if "lr" not in named:
        raise Unfit("it has no argument lr")
    rate = named.pop("lr").default
    for one in named.values():
        if one.default is inspect.Parameter.empty:
            raise Unfit(f"its argument {one.name} has no default")
    left_out: dict[str, str] = {}
    found: list[tuple[Argument, float | bool, str]] = []
    for name, one in named.items():
        if reason := _why_not(name, one.default):
            left_out[name] = reason
        else:
            found += _parts(one)
    plugin = Plugin(kind, make, tuple(argument for argument, _, _ in found))
    is_rate = _is_number(rate) and rate > 0
    defaults = {"lr": float(rate) if is_rate else USUAL_RATE} | {one.name: default for one, default, _ in found}
    described = tuple(_described(plugin, defaults, argument, kind) for argument, _, kind in found)
    return Signature(plugin, described, defaults, left_out)


def _why_not(name: str, default: Any) -> str | None:
    """Give the reason why an argument is no hyper-parameter; None if it is one."""
    if name in _SWITCHES:
        return "it chooses how a step is computed, not what"
    if name in _OF_RUNS or name in Entry.model_fields:
        return _OF_RUNS.get(name, "this field of an entry has another meaning")
    values = default if isinstance(default, tuple | list) else (default,)
    if isinstance(default, bool):
        return None
    if not values or len(values) > LONGEST_TUPLE or not all(map(_is_number, values)):
        return f"its default is {type(default).__name__ if callable(default) else repr(default)[:40]}, no number"
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _parts(one: inspect.Parameter) -> Iterator[tuple[Argument, float | bool, str]]:
    """Give the hyper-parameters of an argument, with their defaults and types."""
    name, default = one.name, one.default
    if isinstance(default, bool):
        yield Argument(name, name, is_flag=True), default, "flag"
    elif isinstance(default, tuple | list):
        stem = name[:-1] if name.endswith("s") and name != "eps" else name
        for place, value in enumerate(default):
            yield Argument(f"{stem}{place + 1}", name, place), float(value), "number"
    else:
        # An annotation distinguishes 0 of a float from 0 of a count.
        is_whole = one.annotation in (int, "int")
        yield (
            Argument(name, name, is_whole=is_whole),
            default if is_whole else float(default),
            ("integer" if is_whole else "number"),
        )


def _described(plugin: Plugin, defaults: Mapping[str, float | bool], argument: Argument, kind: Any) -> HyperParameter:
    """Find the bounds of a number that the constructor checks."""
    described = HyperParameter(
        name=argument.name,
        type=kind,
        default=defaults[argument.name],
        argument=argument.argument if argument.argument != argument.name else None,
        in_tuple=argument.place is not None,
    )
    if argument.is_flag:
        return described

    def allows(value: float) -> bool:
        return is_accepted(plugin, {**defaults, argument.name: value})

    bounds: dict[str, float] = {}
    if not allows(_BELOW):
        bounds["ge" if allows(_ZERO) else "gt"] = 0
    if not allows(_ABOVE):
        bounds["le" if allows(_ONE) else "lt"] = 1
    bounded = described.model_copy(update=bounds)
    return bounded if bounded.objection(float(described.default)) is None else described


def is_accepted(plugin: Plugin, values: Mapping[str, float | bool]) -> bool:
    """Whether the constructor accepts these hyper-parameters."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plugin.optimizer([Parameter(torch.zeros(2, 2))], values)
    except Exception:
        return False
    return True


def apart(plugin: Plugin) -> Plugin:
    """The class with an optimizer for each run."""
    return replace(plugin, run_by_run=True)
