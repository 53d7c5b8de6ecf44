"""Verdicts of the lessons on tables and on transformers for given histories."""

import numpy as np

from service.findings.lessons import LESSONS
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding
from service.spec.presets.tables import TABLES
from service.spec.presets.transformers import ADAMW_RATES
from tests.findings.evidence import ends, job

EPOCHS = list(range(101))
START = {"loss": 3.0, "validation_loss": 3.0, "test_loss": 3.0}
# Variation from seed to seed of two labels.
ONE, OTHER = 0.01 * np.random.default_rng(0).normal(size=(2, 12))


def arriving(sgd: float, momentum: float) -> Evidence:
    """A job in which R² rises from −1 to 0.8 at these updates, for two starts and two rates, the second too large."""

    def r2(at: float) -> np.ndarray:
        return np.where(np.array(EPOCHS) < np.array([[at], [at + 1]]), -1.0, 0.8)

    never = {"r2": np.full((2, len(EPOCHS)), -1.0)}
    of = {"sgd": sgd, "momentum": momentum}
    curves = {(label, lr): {"r2": r2(at)} if lr < 1 else never for label, at in of.items() for lr in (0.1, 1.0)}
    return job(curves, EPOCHS)


def scaling(unscaled: float, scaled: float, whitened: tuple[float, float]) -> Finding:
    jobs = {
        "table-unscaled": arriving(np.inf, unscaled),
        "table-scaled": arriving(scaled, 5),
        "table-whitened": arriving(*whitened),
    }
    return LESSONS["scaling-columns"].judge(jobs)


def test_scaling_must_save_more_than_momentum_and_momentum_nothing_on_whitened_columns() -> None:
    assert scaling(np.inf, 20, (1, 1)).verdict == "holds"
    assert scaling(40, 20, (2, 8)).verdict == "holds"
    assert scaling(20, 20, (1, 1)).verdict.startswith("fails: it is not true that SGD on scaled columns needs fewer")
    assert scaling(40, 20, (8, 2)).verdict.startswith("fails: it is not true that momentum needs no fewer updates")


def tables(gap: float, wrong: float) -> Finding:
    """Adam's loss exceeds momentum's by a share; another rate is better by the test loss, which must choose nothing."""
    momentum = np.exp(ONE)
    adam = (1 + gap) * np.exp(OTHER)
    final = {
        ("momentum", 0.1): {"validation_loss": momentum, "test_loss": momentum},
        ("momentum", 0.3): {"validation_loss": 2 * momentum, "test_loss": momentum / 2},
        ("adam", 0.1): {"validation_loss": adam, "test_loss": adam},
        ("adam", 0.3): {"validation_loss": 2 * adam, "test_loss": wrong * adam},
    }
    return LESSONS["tables-adam"].judge({f"table-{name}": ends(final, START) for name in TABLES})


def test_both_must_have_the_same_test_loss_at_rates_that_validation_chooses() -> None:
    assert tables(0.0, wrong=0.1).verdict == "holds"
    assert tables(0.3, wrong=0.5).verdict.startswith("fails: test loss of Adam by that of momentum: iris 1.3")
    assert tables(0.1, wrong=1.0).verdict.startswith("inconclusive: test loss of Adam")


def compared(name: str, labels: tuple[str, str], gain: float) -> Finding:
    final = {}
    for label, base in zip(labels, ((1 - gain) * np.exp(OTHER), np.exp(ONE)), strict=True):
        final |= {(label, lr): dict.fromkeys(START, base * (1 + lr)) for lr in ADAMW_RATES}
    return LESSONS[name].judge({LESSONS[name].presets[0]: ends(final, START)})


def test_adamw_and_a_warm_up_must_lower_the_loss_by_intervals() -> None:
    for name, labels in (("transformer-adamw", ("adamw", "momentum")), ("transformer-warmup", ("warm-up", "none"))):
        assert compared(name, labels, 0.2).verdict == "holds"
        assert compared(name, labels, -0.2).verdict.startswith("fails: ratio of losses 1.2")
        assert compared(name, labels, 0.0).verdict.startswith("inconclusive: ratio of losses")


def test_accumulation_must_give_the_numbers_of_one_batch() -> None:
    fields = LESSONS["transformer-accumulation"].fields
    whole = job({("adamw", 0.01): {name: [[3.0, 2.0]] for name in fields}}, (0, 1))
    near = job({("adamw", 0.01): {name: [[3.0, 2.0 + 1e-12]] for name in fields}}, (0, 1))
    far = job({("adamw", 0.01): {name: [[3.0, 2.0 + 1e-6]] for name in fields}}, (0, 1))
    judge = LESSONS["transformer-accumulation"].judge
    names = LESSONS["transformer-accumulation"].presets
    assert judge(dict(zip(names, (near, whole), strict=True))).verdict == "holds"
    assert judge(dict(zip(names, (far, whole), strict=True))).verdict.startswith("fails")
