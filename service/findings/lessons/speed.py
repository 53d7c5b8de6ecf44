"""Lessons on the speed-up of momentum and of Nesterov's method, by problem and choice of rates."""

from collections.abc import Mapping

import numpy as np

from service.analysis.descent import first_reached, settled
from service.analysis.paired import mean_ratio as geometric_mean_ratio
from service.analysis.stability import best_settings
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, Finding, Quantity, curve, number
from service.findings.lessons.judging import concluded, together
from service.findings.lessons.lesson import Lesson
from service.spec.presets.landscapes import CONDITIONS

TARGET = 1e-3
# Three of four seeds end in local minima above 0.1.
FLIPNET_TARGET = 0.15
PLACES = {
    "the ravine": "speedup-3-5",
    "the parabola": "speedup-3-5-parabola",
    "a quadratic of condition number 10": "speedup-3-5-10",
    "a quadratic of condition number 100": "speedup-3-5-100",
    "a quadratic of condition number 1000": "speedup-3-5-1000",
    "FlipNet": "speedup-3-5-flipnet",
}


def _steps(job: Evidence, label: str, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates and, for each, the median over seeds of the epochs until the loss stays below a target."""
    rates, steps = job.settings("lr", label), settled(job.epochs, job.values("loss", label), target)
    different = np.unique(rates)
    return different, np.array([np.quantile(steps[rates == lr], 0.5, method="inverted_cdf") for lr in different])


def _speedup(jobs: Mapping[str, Evidence]) -> Finding:
    quantities: list[Quantity] = []
    readings, figures = {}, []
    for place, preset in PLACES.items():
        job = jobs[preset]
        target = FLIPNET_TARGET if place == "FlipNet" else TARGET
        (rates, plain), (own_rates, fast) = (_steps(job, label, target) for label in ("sgd", "momentum"))
        best = plain.min() / fast.min() if np.isfinite(fast.min()) else 0.0
        # Rates at which both reach the target; each is paired with the nearest one, as the grids of quadratics differ.
        nearest = np.abs(np.log(own_rates[None, :] / rates[:, None])).argmin(axis=1)
        both = np.isfinite(plain) & np.isfinite(fast[nearest])
        shared, ratios = rates[both], plain[both] / fast[nearest][both]
        title = f"speed-up at equal rates, {place}"
        if both.any():
            spread = f"median and range over {both.sum()} rates from {shared[0]:.2g} to {shared[-1]:.2g}"
            quantities.append(
                Quantity(title, float(np.median(ratios)), float(ratios.min()), float(ratios.max()), spread)
            )
        else:
            quantities.append(number(title, None))
        quantities.append(number(f"speed-up, each at its best rate, {place}", best))
        quantities.append(number(f"best rate of SGD, {place}", rates[plain.argmin()]))
        quantities.append(number(f"best rate of momentum 0.9, {place}", own_rates[fast.argmin()]))
        inside = shared[(ratios >= 3) & (ratios <= 5)]
        ends = [f"{lr:.2g}" for lr in inside[[0, -1]]] if len(inside) else []
        between = f" from {ends[0]} to {ends[1]}" if len(set(ends)) > 1 else f" of {ends[0]}" if ends else ""
        readings[f"measured on {place} at equal rates{between}"] = len(inside) > 0
        readings[f"measured on {place} with each at its best rate"] = bool(3 <= best <= 5)
        if place in ("the ravine", "FlipNet"):
            unit = "epochs" if place == "FlipNet" else "updates"
            curves = [curve("SGD", rates, plain), curve("momentum 0.9", own_rates, fast)]
            title = f"{unit.capitalize()} until the loss of {place} stays below {target:g}"
            figures.append(Figure(title, "learning rate", unit, curves, log_x=True))
    return concluded(readings, quantities, "momentum 0.9 is 3 to 5 times as fast on none of the problems", figures)


def _curvature(jobs: Mapping[str, Evidence]) -> Finding:
    steps: dict[str, list[float]] = {"sgd, best": [], "momentum, best": []}
    quantities = []
    for condition in CONDITIONS:
        job = jobs["curvature" if condition == 10 else f"curvature-{condition}"]
        for label, of_label in steps.items():
            of_label.append(float(settled(job.epochs, job.values("loss", label), TARGET)[0]))
            quantities.append(number(f"updates, {label}, condition number {condition}", of_label[-1]))
        best = best_settings("sgd", 1.0, float(condition))
        assert best is not None
        # Both directions shrink at the same rate, so the loss is ½(1 + κ)·rate^(2k).
        exact = np.ceil(np.log(TARGET / (0.5 * (1 + condition))) / (2 * np.log(best.rate)))
        quantities.append(number(f"theory: updates, sgd, best, condition number {condition}", exact))
    logs = np.log(CONDITIONS)
    power = {label: float(np.polyfit(logs, np.log(of_label), 1)[0]) for label, of_label in steps.items()}
    quantities += [
        number(f"exponent of the growth of updates with the condition number, {label}", power[label]) for label in steps
    ]
    ratios = {condition: slow / fast for condition, slow, fast in zip(CONDITIONS, *steps.values(), strict=True)}
    quantities += [
        number(f"updates of SGD divided by those of momentum, condition number {c}", ratios[c]) for c in CONDITIONS
    ]
    parts = {
        "SGD's updates are about proportional to the condition number": 0.8 <= power["sgd, best"] <= 1.3,
        "at 100 and 1000 SGD needs at least three times momentum's updates": min(ratios[100], ratios[1000]) >= 3,
    }
    curves = [curve(label, CONDITIONS, of_label) for label, of_label in steps.items()]
    figures = [
        Figure("Updates to a loss of 0.001 at the best settings", "condition number", "updates", curves, log_x=True)
    ]
    return together(parts, quantities, figures=figures)


def _nesterov(jobs: Mapping[str, Evidence]) -> Finding:
    quantities, readings = [], {}
    for place, preset in {"the ravine": "nesterov-5-10", "Rosenbrock's function": "nesterov-5-10-rosenbrock"}.items():
        job = jobs[preset]
        slow, fast = (
            float(settled(job.epochs, job.values("loss", label), TARGET)[0]) for label in ("momentum", "nesterov")
        )
        quantities += [number(f"updates on {place}, momentum", slow), number(f"updates on {place}, Nesterov", fast)]
        quantities.append(number(f"saved on {place}, in per cent", 100 * (1 - fast / slow)))
        readings[f"measured on {place}"] = bool(0.05 <= 1 - fast / slow <= 0.10)
    job = jobs["nesterov-5-10-flipnet"]
    epochs = {
        label: first_reached(job.epochs, job.values("loss", label), FLIPNET_TARGET)
        for label in ("momentum", "nesterov")
    }
    both = np.isfinite(epochs["momentum"]) & np.isfinite(epochs["nesterov"])
    ratio = geometric_mean_ratio(epochs["nesterov"][both], epochs["momentum"][both])
    low, middle, high = (100 * (1 - end) for end in (ratio.high, ratio.value, ratio.low))
    of = f"geometric mean, bootstrap 95 %, {both.sum()} seeds"
    quantities.append(Quantity("saved on FlipNet, in per cent", middle, low, high, of))
    quantities.append(number("seeds of 200 in which both reach 0.15 on FlipNet", both.sum()))
    readings["measured on FlipNet"] = bool(5 <= middle <= 10)
    otherwise = "it saves " + ", ".join(
        f"{one.value:.3g} % {one.name[6:-13]}".replace("-", "−") for one in quantities if "saved" in one.name
    )
    job = jobs["nesterov-5-10"]
    curves = [curve(label, job.epochs, job.values("loss", label)) for label in ("momentum", "nesterov")]
    return concluded(readings, quantities, otherwise, [Figure("The ravine at rate 0.015", "update", "loss", curves)])


LESSONS = (
    Lesson(
        "speedup-3-5",
        ("B",),
        "β = 0.9 gives about 3 to 5 times faster convergence than SGD.",
        "Updates until the loss stays below 0.001 (FlipNet: epochs until below 0.15, median of 20 seeds): the ratio "
        "at equal rates at which both arrive, and the ratio at each one's best rate.",
        tuple(PLACES.values()),
        ("loss",),
        _speedup,
    ),
    Lesson(
        "curvature",
        ("B",),
        "Real surfaces have curvature ratios of 100 or 1000, where SGD is slow.",
        "Updates to a loss of 0.001 on quadratics, both methods at the best settings by theory: those of SGD grow with "
        "κ (exponent 0.8 to 1.3) and are at least three times those of momentum at 100 and 1000. The ratios of real "
        "surfaces are not judged.",
        ("curvature", "curvature-100", "curvature-1000"),
        ("loss",),
        _curvature,
    ),
    Lesson(
        "nesterov-5-10",
        ("B",),
        "Nesterov converges 5 to 10 % faster than momentum at no extra cost.",
        "Updates until the loss stays below 0.001 on two surfaces, epochs until it is first below 0.15 on FlipNet "
        "(geometric mean over 200 seeds). Both methods take one gradient per update and keep one number per "
        "parameter.",
        ("nesterov-5-10", "nesterov-5-10-rosenbrock", "nesterov-5-10-flipnet"),
        ("loss",),
        _nesterov,
    ),
)
