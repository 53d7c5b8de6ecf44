"""Histories of the engine equal those of plain torch.optim loops."""

import json
from pathlib import Path

import numpy as np
import pytest

from service.spec.formulas.expression import parse
from service.spec.surfaces import SURFACES
from tests.worker.engine.training import train
from worker.engine.problems import FlipNet, Surface

REFERENCES = sorted((Path(__file__).parents[2] / "reference").glob("*.json"))


def test_the_references_exist():
    assert len(REFERENCES) >= 5


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_the_history_equals_that_of_a_torch_loop(path):
    reference = json.loads(path.read_text())
    spec = reference["spec"]
    seeds = spec.get("seeds", [0])
    optimizers = [
        (entry["kind"], {name: value for name, value in entry.items() if name not in ("kind", "label")})
        for entry in spec["optimizers"]
        for _ in seeds
    ]
    run_seeds = [seed for _ in spec["optimizers"] for seed in seeds]
    if spec["problem"]["kind"] == "flipnet":
        problem = FlipNet(run_seeds, spec["batch_size"], spec["shuffle"])
    else:
        surface = SURFACES[spec["problem"]["name"]]
        starts = [spec["problem"]["start"]] * len(run_seeds)
        problem = Surface(parse(surface.formula), starts, run_seeds, minima=surface.minima)
    history = train(problem, optimizers, spec["epochs"], dtype=spec["dtype"])

    assert len(reference["runs"]) == len(run_seeds)
    for run, expected in enumerate(reference["runs"]):
        recorded = dict(expected["history"])
        assert history.numbers == recorded.pop("epoch")
        if "position" in recorded:
            recorded |= zip(("x", "y"), zip(*recorded.pop("position"), strict=True), strict=False)
        for field, values in recorded.items():
            measured = [value is not None for value in values]
            index = history.fields.index(field)
            assert [bool(epoch.measured_FR[index, run]) for epoch in history.epochs] == measured
            found = history[field][measured, run]
            np.testing.assert_allclose(found, np.array(values)[measured].astype(float), rtol=1e-9, atol=0)
