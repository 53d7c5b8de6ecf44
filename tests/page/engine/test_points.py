"""The page draws the points of the playground as the worker does."""

import json
from pathlib import Path

import pytest

from tests.page.engine.node import run_node
from worker.engine.supervised.point_sets import DATASETS, draw


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_points_are_those_of_the_worker(tmp_path: Path, noise: float) -> None:
    seed = 2**32 - 1
    cases = [
        {
            "problem": {"dataset": dataset, "size": 25, "test_size": 9, "noise": noise, "data_seed": seed},
            "part": part,
            "points": points.tolist(),
            "labels": labels.tolist(),
        }
        for dataset in DATASETS
        for part, size in enumerate((25, 9))
        for points, labels in [draw(dataset, size, noise, seed, part)]
    ]
    path = tmp_path / "points.json"
    path.write_text(json.dumps(cases))
    run_node("points.test.mjs", POINTS=str(path))
