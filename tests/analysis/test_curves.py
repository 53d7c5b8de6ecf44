"""Arrival at a target and area under a curve, against values computed by hand; curves end, diverge or rise again."""

import numpy as np
import pytest

from service.analysis.curves import Curves, area_under_curve, epochs_to_target


def curves(*losses: list[float], every: int = 1) -> Curves:
    lengths = [len(loss) for loss in losses]
    return Curves(
        first_R=np.cumsum([0, *lengths[:-1]]),
        epoch_P=np.concatenate([np.arange(length) * every for length in lengths]),
        loss_P=np.concatenate([np.array(loss) for loss in losses]),
    )


def test_first_and_lasting_arrival_at_a_target() -> None:
    found = curves(
        [4.0, 3.0, 1.0, 2.0, 0.5],  # Back above once.
        [4.0, 1.0, 0.5],
        [4.0, 3.0],  # Never.
        [0.1, 0.1],  # From the start.
        [4.0, 0.5, np.nan],  # Reached, then diverged.
        [np.inf],
    )
    first, settled = epochs_to_target(found, 1.0)
    assert first.tolist() == [2, 1, np.inf, 0, 1, np.inf]
    assert settled.tolist() == [4, 1, np.inf, 0, np.inf, np.inf]


def test_epochs_are_those_recorded() -> None:
    first, settled = epochs_to_target(curves([4.0, 1.0, 0.5], every=10), 1.0)
    assert (first.tolist(), settled.tolist()) == ([10], [10])


def test_the_area_is_the_mean_loss_by_trapezoids() -> None:
    found = area_under_curve(curves([4.0, 2.0, 0.0], [3.0], [1.0, np.inf], [2.0, 2.0, 2.0], every=5))
    assert found == pytest.approx([2.0, 3.0, np.inf, 2.0])
