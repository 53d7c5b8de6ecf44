"""Built-in optimizers as entries of kind `formula`, to start an own one from.

Asgd and the schedule-free kinds have another point as their result, Adafactor and Muon work on rows, columns and whole
matrices, and LARS differs between matrices and vectors; an update rule expresses none of these.
"""

import re
from typing import Any

from service.spec.entry import Entry
from service.spec.learning_rates import learning_rates
from service.spec.optimizers.formula import Formula

# The rate of a kind that is not in the table of learning rates.
USUAL_RATE = 0.01


def as_formula(kind: type[Entry]) -> dict[str, Any] | None:
    """Give the complete entry of a kind with its defaults; None where a rule cannot express the kind.

    Hyper-parameters that the rule does not name are at their defaults, and so are flags.
    """
    if kind.own_update is None:
        return None
    name = kind.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
    words = set(re.findall(r"[a-z_][a-z0-9_]*", " ".join(kind.own_update)))
    parameters = {one: kind.model_fields[one].default for one in kind.grid_names if one in words and one != "lr"}
    momentum = kind.scheduled_momentum
    entry = {
        "kind": "formula",
        "label": f"my {name}",
        "lr": learning_rates(name).get("flipnet", USUAL_RATE),
        "state": dict(kind.own_state),
        "parameters": parameters,
        "update": list(kind.own_update),
        "momentum": momentum if momentum in parameters else None,
    }
    return {field: value for field, value in entry.items() if value not in ({}, None)}


def program(entry: dict[str, Any]) -> dict[str, Any]:
    """Give the program of an entry of kind `formula`: its operations, from w, g and the other names to new values."""
    return Formula.model_validate(entry).rule.graph.as_json()
