"""Verdicts over several problems."""

from typing import Any

import numpy as np

from service.findings.comparison.across_verdict import verdict_across
from service.findings.comparison.criterion import Measure
from service.findings.comparison.judged import Judged, judged


def made(values_NK: Any, *, claims: bool = True) -> Judged:
    measure = Measure("epochs_to_target", "log", False, False, 0.0, None)
    values = np.array(values_NK, dtype=float)
    labels = ["sgd", "momentum", "nesterov"][: values.shape[1]]
    return judged(measure, labels, values.T[:, :, None], claims=claims)


def test_verdicts_claim_what_the_intervals_over_problems_show() -> None:
    rng = np.random.default_rng(0)
    apart = rng.normal([-1, -2, -2], 0.1, size=(8, 3))
    verdict = verdict_across(made(apart), any_solved=True, partial=False)
    assert verdict.endswith("cannot be told apart as best over 8 problems; SGD is worse than each.")
    assert len(verdict.split()) <= 25
    won = verdict_across(made(apart - [0, 0, 1]), any_solved=True, partial=False)
    assert won.startswith("Nesterov is best over 8 problems; Momentum follows (2.")
    assert len(won.split()) <= 25
    two = verdict_across(made(apart[:, :2]), any_solved=True, partial=False)
    assert two.startswith("Momentum is better than SGD over 8 problems (2.")
    alike = verdict_across(made(apart[:, 1:]), any_solved=True, partial=False)
    assert "cannot be told apart over 8 problems (ratio of epochs " in alike
    missing = verdict_across(made(apart - [0, 0, 1], claims=False), any_solved=True, partial=True)
    assert missing == "So far Nesterov needed fewest epochs on 8 of 8; runs are still missing."
    assert verdict_across(made(apart), any_solved=False, partial=False) == "No run reaches any target (8 problems)."
    equal = verdict_across(made(np.tile([[-1.0, -1.0]], (8, 1))), any_solved=True, partial=False)
    assert equal == "SGD and Momentum are equal on every one of 8 problems."
    steady = verdict_across(made(np.tile([[-1.0, -2.0]], (8, 1))), any_solved=True, partial=False)
    assert steady == "Momentum needed fewest epochs on 8 of 8 problems, by equal ratios: without spread, no interval."
    few = verdict_across(made(apart[:3]), any_solved=True, partial=False)
    assert few.startswith("3 problems: too few for a conclusion about others. ")
    assert len(few.split()) <= 25
