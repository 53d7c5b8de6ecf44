"""A setting as one line of Python that makes the same optimizer in PyTorch.

The line has lr and the arguments that differ from the defaults of the class. What a constructor cannot express
(clipping, schedules, the point to evaluate) is a comment at its end. A kind that torch.optim lacks has a class of the
package pytorch_optimizer, where that computes the same.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from service.spec.entry import Entry
from service.spec.optimizers import KNOWN_KINDS, Optimizer
from service.spec.optimizers.adam import AdamW
from service.spec.plugin import Plugin
from service.spec.schedules import Schedule

# Hyper-parameters that are parts of a tuple, in the order of the tuple.
_TUPLES: Mapping[str, str] = {
    "beta1": "betas",
    "beta2": "betas",
    "eta_minus": "etas",
    "eta_plus": "etas",
    "step_min": "step_sizes",
    "step_max": "step_sizes",
}
# Hyper-parameters of Muon that its AdamW takes, under the names of AdamW.
_ADAMW: Mapping[str, str] = {
    "adamw_lr": "lr",
    "beta1": "beta1",
    "beta2": "beta2",
    "eps": "eps",
    "adamw_weight_decay": "weight_decay",
}
_NOT_OF_MUON = {*_ADAMW, "match_rms_adamw", "maximize"}
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Optimizer)


def torch_code(
    optimizer: Mapping[str, Any], classes: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> str | None:
    """Write the line of a setting as the API shows it; None where no class computes the same.

    The line expects the names torch, pytorch_optimizer and model, and the module of an installed class. It makes one
    optimizer, for Muon a tuple of two.

    Args:
        optimizer: The setting.
        classes: Constructors of installed classes by kind, as `Offer.constructor` describes them.
    """
    if optimizer["kind"] not in KNOWN_KINDS:
        constructor = classes.get(optimizer["kind"])
        return None if constructor is None else _installed(Plugin.model_validate(dict(optimizer)), constructor)
    entry = _ENTRY.validate_python(dict(optimizer))
    name = entry.torch_class
    if name is None:
        return None
    values = {**entry.grids(), **entry.flags()}
    defaults = {argument: type(entry).model_fields[argument].default for argument in values if argument != "lr"}
    defaults |= entry.torch_defaults
    if entry.kind == "muon":
        code = _muon(name, values, defaults)
    else:
        # With a momentum of 0 both methods are gradient descent, and torch rejects nesterov.
        if entry.kind == "nesterov" and values["momentum"]:
            values["nesterov"] = True
        code = f"{name}(model.parameters(), {_arguments(values, defaults)})"
    return _commented(code, entry)


def _installed(entry: Plugin, constructor: Mapping[str, Any]) -> str:
    """Write the call of an installed class, with the arguments that differ from the defaults of its constructor."""
    given = {**entry.grids(), **entry.flags()}
    values: dict[str, Any] = {"lr": _rounded(given["lr"])}
    defaults: dict[str, Any] = {}
    for one in constructor["arguments"]:
        argument = one.get("argument", one["name"])
        kind = {"flag": bool, "integer": int, "number": float}[one["type"]]
        for named, value in ((values, given[one["name"]]), (defaults, one["default"])):
            written = _rounded(kind(value))
            named[argument] = (*named.get(argument, ()), written) if one.get("in_tuple") else written
    arguments = (
        f"{name}={value!r}" for name, value in values.items() if name not in defaults or value != defaults[name]
    )
    return _commented(f"{constructor['class']}(model.parameters(), {', '.join(arguments)})", entry)


def _commented(code: str, entry: Entry) -> str:
    comments = "; ".join(_comments(entry))
    return f"{code}  # {comments}" if comments else code


def _muon(name: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Write Muon for the matrices and AdamW for the other parameters. torch.optim.Muon has no argument maximize."""

    def of_muon(given: Mapping[str, Any]) -> dict[str, Any]:
        kept = {argument: value for argument, value in given.items() if argument not in _NOT_OF_MUON}
        return {**kept, "adjust_lr_fn": "match_rms_adamw" if given["match_rms_adamw"] else None}

    def of_adamw(given: Mapping[str, Any]) -> dict[str, Any]:
        return {argument: given[own] for own, argument in _ADAMW.items()}

    matrices, others = (f"[p for p in model.parameters() if p.ndim {sign} 2]" for sign in ("==", "!="))
    muon = f"{name}({matrices}, {_arguments(of_muon(values), of_muon(defaults))})"
    adamw = f"{AdamW.torch_class}({others}, {_arguments(of_adamw(values), of_adamw(defaults))})"
    return f"({muon}, {adamw})"


def _arguments(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Write lr, and the arguments that differ from their defaults."""
    default_arguments = _renamed(defaults)
    return ", ".join(
        f"{argument}={value!r}"
        for argument, value in _renamed(values).items()
        if argument == "lr" or value != default_arguments.get(argument)
    )


def _renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values under the names of the arguments, with the tuples."""
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        rounded = _rounded(value)
        if name == "eps2":
            arguments["eps"] = (None, rounded)
        elif name in _TUPLES:
            arguments[_TUPLES[name]] = (*arguments.get(_TUPLES[name], ()), rounded)
        else:
            arguments[name] = rounded
    return arguments


def _comments(entry: Entry) -> Iterator[str]:
    """List what the arguments cannot express."""
    if entry.maximize and (entry.kind == "muon" or isinstance(entry, Plugin)):
        yield "minimise the negative loss"
    limits = []
    if entry.clip_value is not None:
        limits.append(f"to ±{entry.clip_value:.12g} by value")
    if entry.clip_norm is not None:
        limits.append(f"to norm {entry.clip_norm:.12g}")
    if limits:
        yield f"clip gradients {', then '.join(limits)} before each step"
    yield from _schedule(entry.schedule, "")
    yield from _schedule(entry.momentum_schedule, f" of {entry.momentum_name}")
    yield from entry.torch_notes


def _schedule(schedule: Schedule, of: str) -> Iterator[str]:
    """Describe a schedule that changes its value, with the parameters that are not defaults."""
    if schedule.kind == "constant" and not schedule.warmup_steps:
        return
    given = schedule.model_dump(exclude={"kind"}, exclude_defaults=True)
    parameters = ", ".join(f"{name}={_rounded(value)!r}" for name, value in given.items())
    yield f"{schedule.kind.replace('_', ' ')} schedule{of}" + (f" ({parameters})" if parameters else "")


def _rounded(value: Any) -> Any:
    """Round a float to 12 significant digits; repr gives the shortest form of the result."""
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value
