"""Theory of a problem and of one setting, at a given minimum."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.analysis import stability
from service.analysis.linear_iteration import LinearRule
from service.findings.linear_rules import linear_rule
from service.findings.theory_points import TheoryPoint

# Most eigenvalues in an answer.
MAX_EIGENVALUES = 200
_OUT_OF_RANGE = "A value is beyond the range of floating point numbers, so the theory of this {what} is not computed."
# Values of a setting that are None without a formula.
_OF_CURVATURES = ("lr_limit", "inside", "rate", "oscillates", "critical_momentum", "stationary_loss")


def problem_theory(point: TheoryPoint) -> dict[str, Any]:
    """Give the condition number at a minimum, and the best setting of each method."""
    found: dict[str, Any] = {
        "minimum": point.position,
        "smallest": point.eigenvalues[0] if point.eigenvalues else None,
        "largest": point.eigenvalues[-1] if point.eigenvalues else None,
        "minimum_loss": point.least_loss,
        "condition_number": None,
        "unscaled_condition_number": point.unscaled_condition_number,
        "spectrum": _thinned(point.eigenvalues or []),
        "best": [],
        "notes": point.notes(),
    }
    if not point.is_minimum or not point.curved:
        return found
    smallest, largest = point.curved[0], point.curved[-1]
    best = []
    try:
        for kind in stability.LINEAR_KINDS:
            if one := stability.best_settings(kind, smallest, largest):
                best.append({"kind": kind, "lr": one.lr, "momentum": one.momentum, "rate": one.rate})
        return {**found, "condition_number": largest / smallest, "best": best}
    except ArithmeticError:
        return {**found, "notes": [*found["notes"], _OUT_OF_RANGE.format(what="problem")]}


def setting_theory(
    optimizer: Mapping[str, Any], point: TheoryPoint, *, noise: float = 0.0, batch_size: int = 1, accumulate: int = 1
) -> dict[str, Any]:
    """Give the theory of one setting: its sharpness ceiling, and the rest if the curvatures are known.

    Values are None if there is no formula: the method is not linear, a schedule changes the learning rate, or the
    curvatures are unknown, or a value overflows. ``notes`` has a sentence for each reason.
    """
    try:
        return _setting_theory(optimizer, point, noise, batch_size, accumulate)
    except ArithmeticError:
        known = {"kind": optimizer["kind"], "lr": float(optimizer["lr"]), "sharpness_ceiling": None}
        return {**known, **dict.fromkeys(_OF_CURVATURES), "notes": [_OUT_OF_RANGE.format(what="setting")]}


def _setting_theory(
    optimizer: Mapping[str, Any], point: TheoryPoint, noise: float, batch_size: int, accumulate: int
) -> dict[str, Any]:
    kind, lr = optimizer["kind"], float(optimizer["lr"])
    method = _method(optimizer)
    found: dict[str, Any] = dict.fromkeys(_OF_CURVATURES)
    ceiling = None
    if not optimizer.get("maximize"):
        of_rule = method.sharpness_ceiling(lr) if isinstance(method, LinearRule) else None
        ceiling = stability.sharpness_ceiling(kind, optimizer) if of_rule is None else of_rule
    notes = list(_obstacles(optimizer, is_linear=method is not None))
    found = {"kind": kind, "lr": lr, "sharpness_ceiling": ceiling, **found, "notes": notes}
    if method is None or found["notes"]:
        return found
    notes = found["notes"] = point.notes()
    if point.eigenvalues is None:
        return found
    curved = point.curved
    if not curved:
        if point.is_exact:
            found |= {"lr_limit": method.lr_limit(0.0), "inside": True}
        return found
    if curved[0] < 0:
        notes.append("A curvature is negative: runs leave along it at every learning rate, so none is stable.")
        found |= {"inside": False, "rate": method.rate(lr, curved)}
        return found
    limit = method.lr_limit(curved[-1])
    found |= {"lr_limit": limit, "inside": lr < limit}
    if not point.is_minimum:
        return found
    found["rate"] = method.rate(lr, curved)
    found["oscillates"] = any(method.oscillates(lr, value) for value in curved)
    found["critical_momentum"] = stability.critical_momentum(kind, optimizer, curved)
    keeps_minima = not isinstance(method, LinearRule) or method.at(lr).keeps_minima
    if not keeps_minima:
        notes.append("Without a gradient the rule moves w: runs settle at a point of their own, not at the minimum.")
    if not noise:
        return found
    if not keeps_minima:
        notes.append("The stationary loss above the minimum is therefore unknown.")
    elif not found["inside"]:
        notes.append("The setting is not stable, so the loss has no stationary state.")
    elif len(curved) < len(point.eigenvalues) and not point.is_exact:
        notes.append("The stationary loss is unknown, because the curvature vanishes along a direction.")
    elif point.excess is None:
        notes.append("The loss without weight decay has no minimum above which a stationary loss is measured.")
    else:
        decay = point.penalty.decay
        loss = [value - decay for value in curved]
        found["stationary_loss"] = point.excess + method.stationary_loss(
            lr, loss, noise, batch_size, accumulate=accumulate, weight_decay=decay
        )
    return found


def _thinned(eigenvalues: Sequence[float]) -> list[float]:
    """Give at most ``MAX_EIGENVALUES``, evenly by rank, with the first and the last."""
    if len(eigenvalues) <= MAX_EIGENVALUES:
        return list(eigenvalues)
    last = len(eigenvalues) - 1
    return [eigenvalues[round(at * last / (MAX_EIGENVALUES - 1))] for at in range(MAX_EIGENVALUES)]


def coupled_decay(optimizer: Mapping[str, Any]) -> float:
    """Give the weight decay that a linear method adds to the gradient; 0 for other methods."""
    return float(optimizer.get("weight_decay", 0.0)) if optimizer["kind"] in stability.LINEAR_KINDS else 0.0


def _method(optimizer: Mapping[str, Any]) -> stability.LinearMethod | LinearRule | None:
    """Give the theory of a setting; None if its method is not linear."""
    kind = optimizer["kind"]
    return linear_rule(optimizer) if kind == "formula" else stability.linear_method(kind, optimizer)


def _obstacles(optimizer: Mapping[str, Any], *, is_linear: bool) -> Iterator[str]:
    """Give the reasons why theory does not apply to the iteration of a setting."""
    if optimizer.get("maximize"):
        yield "The setting maximises the loss; theory is that of minimisation."
    if not is_linear and optimizer["kind"] == "formula":
        yield "The update rule is not linear in w, g and its states with constant factors: it has no theory here."
    elif not is_linear:
        known = optimizer["kind"] in stability.PRECONDITIONED_KINDS
        rest = "only its sharpness ceiling is known" if known else "it has no theory here"
        yield f"{optimizer['kind']} is not linear in the gradients: {rest}."
    for name, changed in (("schedule", "learning rate"), ("momentum_schedule", "momentum")):
        schedule = optimizer.get(name)
        if schedule and (schedule["kind"] != "constant" or schedule["warmup_steps"]):
            yield f"A schedule changes the {changed}; theory is that of constant settings."
    if any(optimizer.get(name) is not None for name in ("clip_norm", "clip_value")):
        yield "Clipping changes the gradients; theory is that of unclipped gradients."
