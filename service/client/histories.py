"""Histories of runs as arrays, or as one table of pandas."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.client.answers import Json

# Functions import numpy when they need it: commands without histories start a fifth of a second sooner.
if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_NOT_FIELDS = {"run_id", "label", "seed", "epoch", "total_points", "returned_points", "next"}


@dataclass(frozen=True)
class History:
    """The history of a run: its fields at the recorded epochs.

    Attributes:
        epoch: [P], sorted; epoch 0 is before the first update.
        fields: Each [P], or [P, D] for the position. Values that were not measured are NaN.
        measured: Each [P]; false where a value was not measured, true where the measured value is NaN.
    """

    run_id: str
    label: str
    seed: int
    epoch: "NDArray[np.int64]"
    fields: "dict[str, NDArray[np.float64]]"
    measured: "dict[str, NDArray[np.bool_]]"
    total_points: int

    def __getitem__(self, field: str) -> "NDArray[np.float64]":
        return self.fields[field]

    def __len__(self) -> int:
        return len(self.epoch)

    def frame(self) -> "pd.DataFrame":
        """Give a table of pandas, one row per epoch."""
        return frame([self])


def read_history(answer: Json) -> History:
    """Convert the columns of an answer to arrays."""
    import numpy as np

    columns = {name: column for name, column in answer.items() if name not in _NOT_FIELDS}
    fields = {name: _array(name, column) for name, column in columns.items()}
    measured = {name: np.array([value is not None for value in column], bool) for name, column in columns.items()}
    epoch = np.array(answer["epoch"], dtype=np.int64)
    return History(answer["run_id"], answer["label"], answer["seed"], epoch, fields, measured, answer["total_points"])


def _array(name: str, column: list[Any]) -> "NDArray[np.float64]":
    import numpy as np

    # numpy converts None to NaN, and the texts "NaN", "Infinity" and "-Infinity" as float() does.
    array = np.array(column, dtype=object).astype(np.float64)
    return array.reshape(len(column), -1) if name == "position" else array


def frame(histories: Iterable[History]) -> "pd.DataFrame":
    """Give histories as one table of pandas: run_id, label, seed, epoch and the fields; a position is x and y.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("tables need pandas: pip install pandas (History has numpy arrays without it)") from error
    # pandas ignores empty tables when it joins columns.
    frames = [pd.DataFrame(_columns(history)) for history in histories]
    return (
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["run_id", "label", "seed", "epoch"])
    )


def _columns(history: History) -> dict[str, Any]:
    columns: dict[str, Any] = {"run_id": history.run_id, "label": history.label, "seed": history.seed}
    columns["epoch"] = history.epoch
    for name, values in history.fields.items():
        if name == "position":
            columns |= dict(zip("xy", values.T, strict=False))
        else:
            columns[name] = values
    return columns
