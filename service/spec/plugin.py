"""Optimizers from installed classes of torch, which workers offer as kinds."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Discriminator, Field, Tag

from service.spec.entry import Entry
from service.spec.fields import Grid
from service.spec.optimizers import KNOWN_KINDS

# A name of a kind is a word of a URL, of a queue and of a label.
KIND_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"


def _form_of(value: object) -> str | None:
    return "flag" if isinstance(value, bool) else "grid"


Value = Annotated[Annotated[bool, Tag("flag")] | Annotated[Grid, Tag("grid")], Discriminator(_form_of)]


class Plugin(Entry):
    """An installed class that workers offer as a kind.

    Every field besides these is a hyper-parameter of the class: a number, list, range or interval, or a flag. `GET
    /v1/optimizers` gives their names, bounds and defaults for each kind that a live worker offers; the API completes
    the entry with the defaults.
    """

    model_config = ConfigDict(extra="allow", title="Installed class")
    __pydantic_extra__: dict[str, Value]

    title: ClassVar = "Installed class"
    formula: ClassVar = "w ← step of the class"
    reference: ClassVar = "the class itself"
    state_per_parameter: ClassVar = 0
    torch_class: ClassVar = None
    other_names: ClassVar = ("run_by_run",)

    kind: str = Field(
        pattern=KIND_PATTERN,
        description="The name under which workers offer the class.",
        json_schema_extra={"not": {"enum": [*KNOWN_KINDS]}},
    )
    run_by_run: bool = Field(
        False,
        exclude_if=lambda run_by_run: not run_by_run,
        description="Whether each run has an optimizer of its own, because the class does not treat every number "
        "alone. Set by the API; it costs time.",
    )

    def grids(self) -> dict[str, Any]:
        """Give the learning rate and the other numbers, in the order in which they nest."""
        return {"lr": self.lr, **{name: value for name, value in self._own().items() if not isinstance(value, bool)}}

    def flags(self) -> dict[str, bool]:
        """Give `maximize` and the flags of the class."""
        own = {name: value for name, value in self._own().items() if isinstance(value, bool)}
        return {"maximize": self.maximize, **own}

    @property
    def method(self) -> str:
        """The kind, because the entry does not name its class."""
        return f"{self.kind} (installed class)"

    @property
    def momentum_name(self) -> str | None:
        """Name of the hyper-parameter that a momentum schedule multiplies: `momentum`, else `beta1`."""
        return next((name for name in ("momentum", "beta1") if name in self.grids()), None)

    def resolved(self, values: Mapping[str, float]) -> dict[str, Any]:
        """Give the entry without its label, with these values of its hyper-parameters."""
        return {**self.model_dump(mode="json", exclude={"label"}), **values}

    def _own(self) -> dict[str, Any]:
        return self.__pydantic_extra__ or {}
