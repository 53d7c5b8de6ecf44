"""Commands run in the process of the test, and the job that they show."""

from collections.abc import Callable
from typing import Any

from typer.testing import Result

SPEC: dict[str, Any] = {
    "name": "For the commands",
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.01},
    "optimizers": [{"label": "slow", "kind": "sgd", "lr": 0.02}, {"label": "wild", "kind": "sgd", "lr": 1e200}],
    "seeds": {"count": 6},
    "epochs": 20,
}
Command = Callable[..., Result]
