"""The engine of the page repeats the histories of the service: all named surfaces × all kinds that have a program."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.api.routes.catalogue import _optimizers, _problems
from service.spec.job import JobSpec
from service.spec.runs import Runs
from service.spec.surfaces import SURFACES
from tests.groups import ENTRIES
from tests.page.engine.node import run_node
from worker.engine.trainer import Trainer
from worker.plan import plan

# The length of a race unless it is changed.
STEPS = 100
RATES = [0.002, 0.03, 0.4]
# A start moved by this share stands for what the last bits of two programs differ in.
SHIFT = 1e-15
# From the step on at which the shift changes the service's own history by this share, nothing is compared but the end.
SENSITIVE = 1e-10
OPTIMIZERS = _optimizers()
PROBLEMS = json.loads(_problems()[0])["items"]
KINDS = [entry["kind"] for entry in OPTIMIZERS if entry["program"]]
# Other values than the defaults, by name.
OTHER = {
    "momentum": 0.7, "dampening": 0.3, "weight_decay": 0.02, "nu": 0.4, "beta1": 0.6, "beta2": 0.95, "eps": 1e-3,
    "rho": 0.8, "alpha": 0.9, "lr_decay": 0.05, "initial_accumulator_value": 0.2, "momentum_decay": 0.01,
    "eta_minus": 0.4, "eta_plus": 1.3, "step_min": 1e-4, "step_max": 0.5,
}  # fmt: skip
SCHEDULES: list[dict[str, Any]] = [
    {"kind": "constant", "warmup_steps": 10},
    {"kind": "step", "decay_steps": 30, "factor": 0.5},
    {"kind": "exponential", "factor": 0.98, "warmup_steps": 5},
    {"kind": "polynomial", "power": 2.0, "final_fraction": 0.1},
    {"kind": "cosine", "warmup_steps": 8, "initial_fraction": 0.1},
    {"kind": "cosine", "decay_steps": 12, "restarts": True, "growth": 2},
    {"kind": "one_cycle"},
    {"kind": "one_cycle", "anneal_strategy": "linear", "warmup_steps": 20, "per": "epoch"},
    {"kind": "warmup_stable_decay", "warmup_steps": 10, "power": 2.0},
    {"kind": "warmup_stable_decay", "stable_steps": 40},
    {"kind": "piecewise", "boundaries": [20, 50], "factors": [0.5, 1.5]},
]


def entries() -> list[dict[str, Any]]:
    """Entries of every kind: with its defaults at several rates, and with other values, a schedule and clipping."""
    found: list[dict[str, Any]] = []
    for at, kind in enumerate(KINDS):
        found += [{"kind": kind, "lr": rate, "label": f"{kind} {rate}"} for rate in RATES]
        own = {name: OTHER[name] for name in ENTRIES[kind].grid_names if name != "lr"}
        more = {"schedule": SCHEDULES[at % len(SCHEDULES)], "clip_norm": 5.0, "clip_value": 4.0}
        if ENTRIES[kind].scheduled_momentum:
            more["momentum_schedule"] = {"kind": "exponential", "factor": 0.999}
        found.append({"kind": kind, "lr": 0.02, "label": f"{kind} other", **own, **more})
    return found


def trained(spec: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give [epochs, 1 + dimension, runs] of a spec, NaN after a run has diverged, and the last epoch of each run."""
    parsed = JobSpec.model_validate(spec)
    trainer = Trainer(plan(parsed, 0, len(Runs(parsed))))
    wanted = [trainer.fields.index(name) for name in ("loss", "x", "y") if name in trainer.fields]
    epochs = [epoch for epoch in trainer.run() if epoch is not None]
    history_TFR = np.array([epoch.values_FR[wanted] for epoch in epochs if epoch.values_FR is not None])
    return history_TFR, np.array([epoch.kept_R for epoch in epochs]).sum(axis=0) - 1


def agreeing(history_TFR: NDArray[np.float64], moved_TFR: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the first epochs of each run in which another history differs by less than a share of `SENSITIVE`."""
    num = min(len(history_TFR), len(moved_TFR))
    history_TFR, moved_TFR = history_TFR[:num], moved_TFR[:num]
    with np.errstate(all="ignore"):
        # Coordinates count against the distance that a run has covered so far, because zero may be a coordinate.
        scale_TFR = np.maximum.accumulate(np.abs(history_TFR), axis=0)
        scale_TFR[:, 0] = np.abs(history_TFR[:, 0])
        apart_TFR = np.abs(history_TFR - moved_TFR) > SENSITIVE * scale_TFR
    apart_TR = np.maximum.accumulate(apart_TFR.any(axis=1), axis=0)
    return (~apart_TR).sum(axis=0)


def cases(problem: dict[str, Any], given: list[dict[str, Any]], **spec: Any) -> Iterator[dict[str, Any]]:
    """Train a race from its start, and from the start moved both ways; give each run with what can be compared."""
    start = np.array(problem["start"])
    points = [start + sign * SHIFT * np.maximum(1, np.abs(start)) for sign in (0, 1, -1)]
    common = {"epochs": STEPS, "seeds": [0], **spec}
    several = {**problem, "starts": [point.tolist() for point in points]}
    del several["start"]
    history_TFR, last_R = trained({"problem": several, "optimizers": given, **common})
    seeds = common["seeds"]
    for entry_at, entry in enumerate(given):
        for seed_at, seed in enumerate(seeds):
            run = (entry_at * len(seeds) + seed_at) * len(points)
            exact, *moved = (history_TFR[:, :, [run + at]] for at in range(len(points)))
            agrees = min(int(agreeing(exact, other)[0]) for other in moved)
            rows_FT = exact[: last_R[run] + 1, :, 0].T
            yield {
                "spec": {"problem": problem, "optimizers": [entry], **common, "seeds": {"first": seed, "count": 1}},
                "agrees": min(agrees, int(last_R[run]) + 1),
                "columns": [[value if np.isfinite(value) else None for value in row] for row in rows_FT.tolist()],
            }


def compare(folder: Path, found: list[dict[str, Any]]) -> None:
    """Repeat the cases in the engine of the page."""
    path = folder / "histories.json"
    path.write_text(json.dumps({"optimizers": OPTIMIZERS, "problems": PROBLEMS, "cases": found}))
    run_node("histories.test.mjs", HISTORIES=str(path))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("half", [0, 1])
def test_the_engine_repeats_the_service_on_every_surface_with_every_kind(tmp_path: Path, half: int) -> None:
    found = [
        case
        for name, surface in list(SURFACES.items())[half::2]
        for case in cases({"kind": "surface", "name": name, "start": list(surface.start)}, entries())
    ]
    # Most histories are compared to the end; without that the test would prove little.
    assert sum(case["agrees"] == len(case["columns"][0]) for case in found) > 0.5 * len(found)
    compare(tmp_path, found)


@pytest.mark.slow
def test_the_engine_repeats_every_schedule(tmp_path: Path) -> None:
    given = [
        {"kind": "momentum", "lr": 0.01, "momentum": 0.5, "label": str(at), name: schedule}
        for at, schedule in enumerate(SCHEDULES)
        for name in ("schedule", "momentum_schedule")
    ]
    given = [{**entry, "label": str(at)} for at, entry in enumerate(given)]
    compare(tmp_path, list(cases({"kind": "surface", "name": "booth", "start": [-8.0, -8.0]}, given)))


def test_the_engine_draws_the_noise_of_the_service(tmp_path: Path) -> None:
    given = [{"kind": kind, "lr": 0.01, "label": kind} for kind in ("sgd", "adam")]
    spec = {"seeds": [0, 3, 2**32 - 1], "batch_size": 4}
    found = [
        case
        for name, start in (("ravine", [5.0, 2.0]), ("parabola", [5.0]))
        for case in cases({"kind": "surface", "name": name, "start": start, "noise": 2.0}, given, **spec)
    ]
    compare(tmp_path, found)


def test_the_pure_parts_of_the_page_pass_their_unit_tests() -> None:
    run_node("units.test.mjs")


def test_poles_are_holes_of_a_map() -> None:
    run_node("poles.test.mjs")


def test_figures_are_told_in_words() -> None:
    run_node("depiction.test.mjs")


@pytest.mark.slow
def test_every_named_surface_begins_with_stable_rates(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps({"optimizers": OPTIMIZERS, "problems": PROBLEMS}))
    run_node("rates.test.mjs", CATALOGUE=str(path))
