"""Labels and checks of the list of optimizers of a job."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.fields import shape_of


def check_direction(optimizers: list[Any]) -> None:
    """Reject a list in which some entries maximise and others minimise."""
    first = optimizers[0].maximize
    message = "must be {first} as in the first entry: all entries of a job maximise, or none"
    details = [
        InitErrorDetails(
            type=PydanticCustomError("maximize", message, {"first": str(first).lower()}),
            loc=(number, "maximize"),
            input=entry.maximize,
        )
        for number, entry in enumerate(optimizers)
        if entry.maximize != first
    ]
    if details:
        raise ValidationError.from_exception_data("optimizers", details)


def labelled(optimizers: list[Any]) -> list[Any]:
    """Label every entry without a label by its kind, with its hyper-parameters if several entries have that kind.

    A label that is given twice is rejected.
    """
    for number, entry in enumerate(optimizers):
        if entry.label is not None and entry.label in [before.label for before in optimizers[:number]]:
            twice = PydanticCustomError("label", "the label '{label}' is given twice", {"label": entry.label})
            details = InitErrorDetails(type=twice, loc=(number, "label"), input=entry.label)
            raise ValidationError.from_exception_data("optimizers", [details])
    taken = {entry.label for entry in optimizers if entry.label is not None}
    unlabelled = [entry.kind for entry in optimizers if entry.label is None]
    found = []
    for entry in optimizers:
        if entry.label is None:
            label = entry.kind
            if unlabelled.count(entry.kind) > 1 or label in taken:
                grids = entry.grids()
                single = {name: grids[name] for name in entry.written if shape_of(grids[name]) == "number"}
                flags = [f"{name}={str(value).lower()}" for name, value in entry.written_flags.items()]
                label = " ".join([entry.kind, *(f"{name}={value:g}" for name, value in single.items()), *flags])
            stem, number = label[:90], 2
            while label in taken:
                label, number = f"{stem} ({number})", number + 1
            entry = entry.model_copy(update={"label": label})
        taken.add(entry.label)
        found.append(entry)
    return found
