"""Kinds from installed classes of torch.optim.Optimizer, which the setting RAVINE_OPTIMIZERS names."""

import importlib
import inspect
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib import metadata
from typing import Any

import torch

from service.spec.offers import HyperParameter, Offer
from service.spec.optimizers import KNOWN_KINDS
from worker.engine.updates.plugin import Class, Plugin
from worker.plugins import trial
from worker.plugins.signature import Signature, Unfit, is_accepted, read

# What stands for another value than zero in a trial.
OTHER_THAN_ZERO = 0.01

log = logging.getLogger("ravine.plugins")


@dataclass(frozen=True, eq=False)
class Installed:
    """A class as a kind: what workers offer, and how it is made."""

    offer: Offer
    signature: Signature
    _elementwise: dict[frozenset[str], bool] = field(default_factory=dict)

    def plugin(self, toggled: Iterable[str], *, run_by_run: bool) -> Plugin:
        """Give the class for the engine.

        Args:
            toggled: Flags that are not at their defaults, and numbers that are zero where the default is not, or the
                other way round. With them, the class may not treat every number alone.
            run_by_run: Whether each run has an optimizer of its own in any case.
        """
        names = frozenset(toggled)
        if not run_by_run and names not in self._elementwise:
            self._elementwise[names] = trial.is_elementwise(self.signature.plugin, with_toggled(self.signature, names))
        return replace(self.signature.plugin, run_by_run=run_by_run or not self._elementwise[names])


Kinds = Mapping[str, Installed]


@lru_cache(maxsize=4)
def installed(setting: str) -> Kinds:
    """Import and try the classes that the setting names. A class that cannot be a kind is left out and logged."""
    kinds: dict[str, Installed] = {}
    for kind, path in paths_by_kind(setting).items():
        try:
            kinds[kind] = examine(kind, find(kind, path), path=path)
            offer = kinds[kind].offer
            how = "elementwise" if offer.elementwise else "run by run"
            log.info("kind %s: %s of %s, %s", kind, path, offer.package, how)
        except Unfit as error:
            log.error("RAVINE_OPTIMIZERS: %s=%s is no kind: %s", kind, path, error)
    return kinds


def paths_by_kind(setting: str) -> dict[str, str]:
    """The classes of the setting `optimizers`: module and name by kind."""
    pairs = (one.strip().partition("=") for one in setting.split(",") if one.strip())
    return {kind: path for kind, _, path in pairs}


def find(kind: str, path: str) -> Class:
    """Import a class.

    Raises:
        Unfit: It cannot be imported, is no optimizer of torch, or its name is taken.
    """
    if kind in KNOWN_KINDS:
        raise Unfit("the name is that of a kind of Ravine")
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # A module may raise anything.
        raise Unfit(f"it cannot be imported: {type(error).__name__}: {error}") from error
    if not inspect.isclass(found) or not issubclass(found, torch.optim.Optimizer):
        raise Unfit("it is no subclass of torch.optim.Optimizer")
    return found


def examine(kind: str, make: Class, *, path: str | None = None, with_others: bool = True) -> Installed:
    """Read and try a class.

    Args:
        kind: Name of the kind.
        make: The class.
        path: Where it is imported from, as the setting names it; by default its top module.
        with_others: Whether to also try each flag and zero that is no default.

    Raises:
        Unfit: It cannot be a kind.
    """
    try:
        signature = read(kind, make)
    except ValueError as error:
        raise Unfit(f"its arguments are unknown: {error}") from error
    given, values = signature.plugin, signature.defaults
    trial.check(given, values)
    elementwise = trial.is_elementwise(given, values)
    run_by_run_with = []
    if elementwise and with_others:
        for one in signature.hyper_parameters:
            other = with_toggled(signature, [one.name])
            if is_accepted(given, other) and not trial.is_elementwise(given, other) and trial.works(given, other):
                run_by_run_with.append(one.name)
    offer = Offer(
        kind=kind,
        class_name=(path or f"{make.__module__.partition('.')[0]}:{getattr(make, '__name__', kind)}").replace(":", "."),
        package=_package(make),
        lr=float(values["lr"]),
        elementwise=elementwise,
        state_per_parameter=round(trial.state_per_parameter(given, values), 3),
        hyper_parameters=signature.hyper_parameters,
        run_by_run_with=tuple(run_by_run_with),
        left_out=dict(signature.left_out),
    )
    return Installed(offer, signature)


def with_toggled(signature: Signature, names: Iterable[str]) -> dict[str, float | bool]:
    """Give the defaults, with some flags turned round, and numbers changed from or to zero."""
    described = {one.name: one for one in signature.hyper_parameters}
    return {**signature.defaults, **{name: _toggled(described[name]) for name in names}}


def _toggled(one: HyperParameter) -> float | bool:
    if one.type == "flag":
        return not one.default
    if one.default != 0:
        return 0.0
    return 1.0 if one.type == "integer" else OTHER_THAN_ZERO


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _package(make: Any) -> str:
    """Name the distribution of a class, with its version."""
    module = make.__module__.partition(".")[0]
    # First by its own name: a search through all distributions takes half a second.
    for names in (lambda: [module], lambda: _distributions().get(module, [])):
        for name in names():
            try:
                found = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                continue
            return f"{found.metadata['Name']} {found.version}"
    version = getattr(importlib.import_module(module), "__version__", None)
    return f"{module} {version}" if version else f"{module}, without a version"
