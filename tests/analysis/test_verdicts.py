"""The verdict of a comparison as a sentence."""

import math

import pytest

from service.analysis.pairs import Estimate
from service.analysis.verdicts import Contender, verdict


def contender(speed_up: Estimate | None, difference: Estimate, *, pairs: int = 20, other_misses: int = 0) -> Contender:
    return Contender("momentum", speed_up, 0, other_misses, difference, pairs)


@pytest.mark.parametrize(
    ("winner", "target", "sentence"),
    [
        (
            contender(Estimate(2.5, 2.0, 3.0), Estimate(-0.1, -0.2, -0.05)),
            0.2,
            "momentum reaches loss 0.2 2.5 times sooner than sgd (95 % interval 2 to 3) and ends lower by 0.1"
            " (95 % interval 0.05 to 0.2) (20 pairs of runs).",
        ),
        (
            contender(Estimate(2.5, math.nan, math.nan), Estimate(-0.1, math.nan, math.nan), pairs=1),
            0.2,
            "momentum reaches loss 0.2 2.5 times sooner than sgd and ends lower by 0.1"
            " (a single pair of runs, which gives no interval).",
        ),
        (
            contender(None, Estimate(-math.inf, -math.inf, -math.inf)),
            None,
            "momentum stays finite where most runs of sgd do not (20 pairs of runs).",
        ),
        (
            contender(None, Estimate(-0.1, -0.3, 0.1), other_misses=4),
            0.2,
            "momentum reaches loss 0.2, which sgd misses, and ends at a loss that cannot be told apart"
            " (difference -0.1, 95 % interval -0.3 to 0.1) (20 pairs of runs).",
        ),
    ],
    ids=["both", "single pair", "the other diverged", "a miss and no difference"],
)
def test_a_verdict_reads_as_a_sentence(winner: Contender, target: float | None, sentence: str) -> None:
    assert verdict(winner, "sgd", target) == sentence
