"""Verdicts of the lessons on networks for given losses and accuracies."""

import numpy as np
import pytest

from service.findings.lessons import LESSONS
from service.findings.lessons.adam import DEFAULT_RATE
from service.findings.lessons.finding import Finding
from service.spec.presets.digits import BATCHES, FLAVOURS, WARMUP_RATES
from service.spec.presets.flipnet import BATCHES as FLIPNET_BATCHES
from tests.findings.evidence import ends, job

START = {"loss": 2.3, "test_accuracy": 0.1, "sharpness": 1.0}
NUM = 24
# Variation from seed to seed of two labels.
ONE, OTHER = np.random.default_rng(0).normal(size=(2, NUM))
SPREAD = 0.002


def train_and_test(gain: float, spread: float = SPREAD) -> Finding:
    epochs = np.arange(16)

    def fields(scale: float, reached: np.ndarray, wave: np.ndarray) -> dict[str, np.ndarray]:
        loss = 2.3 * np.exp(-scale * epochs * (1 + 0.1 * wave[:, None]))
        return {"loss": loss, "test_accuracy": np.tile(reached[:, None], (1, 16))}

    slow, fast = fields(0.2, 0.9 + SPREAD * ONE, ONE), fields(0.5, 0.9 + gain + spread * OTHER, OTHER)
    curves = {("sgd", lr): slow for lr in (0.01, 0.1)} | {("momentum", lr): fast for lr in (0.01, 0.1)}
    return LESSONS["train-and-test"].judge({"train-and-test": job(curves, epochs.tolist())})


def test_momentum_must_be_faster_lower_and_more_accurate_by_intervals() -> None:
    assert train_and_test(0.05).verdict == "holds"
    assert train_and_test(0.0).verdict.startswith("fails: times fewer epochs")
    assert train_and_test(0.02, spread=0.2).verdict.startswith("inconclusive: times fewer epochs")


def adam_default(at_default: np.ndarray, good: int) -> Finding:
    """Judge Adam with a loss at its default rate, and momentum with a number of good rates of eleven; Adam has five."""
    rates = (DEFAULT_RATE * 10.0 ** np.arange(-2, 3.5, 0.5)).tolist()

    def final(loss: np.ndarray) -> dict[str, np.ndarray]:
        return {"loss": loss, "test_accuracy": 0.95 - 0.1 * loss}

    curves = {}
    for at, lr in enumerate(rates):
        adam = at_default if np.isclose(lr, DEFAULT_RATE) else np.full(NUM, 0.005 if 4 <= at < 9 else 2.0)
        curves["adam", lr] = final(adam)
        # The last good rate of momentum is good for some seeds only.
        curves["momentum", lr] = final(np.where(at + (ONE > 1) < good, 0.01, 2.0))
    return LESSONS["adam-default"].judge({"adam-default": ends(curves, START)})


def test_adam_must_be_good_at_its_default_rate_and_at_more_rates_than_momentum() -> None:
    assert adam_default(np.full(NUM, 0.01), good=2).verdict == "holds"
    assert adam_default(np.full(NUM, 2.0), good=2).verdict.startswith("fails: measured by the training loss")
    assert adam_default(np.full(NUM, 0.01), good=7).verdict.startswith("fails: measured by the training loss")
    # Seeds 1, 5, 9, … judge and fail at the default rate, seeds 3, 7, 11, … judge and succeed.
    half = np.where(np.arange(NUM) % 4 == 1, 2.0, 0.01)
    assert adam_default(half, good=2).verdict.startswith("inconclusive: measured by the training loss")


def adam_sharp(sharper: float, loses: float, spread: float = SPREAD) -> Finding:
    of = {
        "momentum": {"loss": 0.1 + 0.01 * ONE, "test_accuracy": 0.95 + SPREAD * ONE, "sharpness": 10 + ONE},
        "adam": {
            "loss": 0.1 + 0.01 * OTHER,
            "test_accuracy": 0.95 - loses + spread * OTHER,
            "sharpness": sharper * (10 + OTHER),
        },
    }
    curves = {(label, lr): fields for label, fields in of.items() for lr in (0.01, 0.1)}
    return LESSONS["adam-sharp"].judge({"adam-sharp": ends(curves, START)})


def test_adam_must_be_sharper_and_less_accurate_by_intervals() -> None:
    assert adam_sharp(2, 0.05).verdict == "holds"
    assert adam_sharp(0.5, 0.05).verdict.startswith("fails: it is not true that Adam's minima are sharper; Adam's")
    assert adam_sharp(2, 0.0).verdict.startswith("fails: it is not true that Adam generalises worse")
    assert adam_sharp(2, 0.02, spread=0.2).verdict.startswith("inconclusive: undecided whether Adam generalises worse")


def cosine(gap: float, spread: float = SPREAD) -> Finding:
    adam = 0.9 + SPREAD * ONE
    labels = {"momentum, cosine": 0.9 + gap + spread * OTHER, "adam": adam, "adam, cosine": adam}
    curves = {(label, 0.01): {"loss": 0.1 + 0.01 * ONE, "test_accuracy": of} for label, of in labels.items()}
    return LESSONS["cosine"].judge({"cosine": ends(curves, START)})


def test_momentum_with_a_cosine_rate_matches_adam_within_one_percentage_point() -> None:
    assert cosine(-0.003).verdict == "holds"
    assert cosine(-0.05).verdict.startswith("fails: test accuracy differs by")
    assert cosine(0.0, spread=0.2).verdict.startswith("inconclusive: test accuracy differs by")


def warmup(rise: float, spread: float = 0.01) -> Finding:
    """Judge warm-ups whose loss rises once, by a factor, while it doubles without a warm-up."""

    def loss(after: np.ndarray) -> dict[str, np.ndarray]:
        return {"loss": np.stack([np.full(NUM, 2.3), np.full(NUM, 2.0), 2.0 * after, np.ones(NUM)], axis=1)}

    without, with_one = loss(2 * np.exp(0.01 * ONE)), loss(rise * np.exp(spread * OTHER))
    labels = {"none": without, "rate": with_one, "momentum": with_one}
    curves = {(label, lr): of for label, of in labels.items() for lr in WARMUP_RATES}
    return LESSONS["warmup"].judge({"warmup": job(curves, range(4))})


def test_a_warm_up_must_lower_the_largest_rise_of_the_loss() -> None:
    assert warmup(1.5).verdict == "holds"
    assert warmup(2.5).verdict.startswith("fails: largest rise of the loss relative to no warm-up")
    assert warmup(1.9, spread=1.0).verdict.startswith("inconclusive: largest rise of the loss")


def test_the_loss_at_the_start_is_no_evidence_on_a_warm_up() -> None:
    # All losses fall from the same start: without a warm-up twice the loss before, with one 1.5 times.
    found = warmup(1.5)
    largest = {one.name: one.value for one in found.quantities if one.name.startswith("largest loss after an update")}
    assert max(value or 0 for value in largest.values()) == pytest.approx(4.0, rel=0.02)


def large_batch(full: float, corrected: float, spread: float = SPREAD) -> Finding:
    def of(accuracy: np.ndarray) -> dict[str, np.ndarray]:
        return {"loss": 0.1 + 0.01 * ONE, "test_accuracy": accuracy}

    small = {("equal", 0.03): of(0.95 + SPREAD * ONE)}
    large = {
        ("equal", 0.03): of(full + SPREAD * OTHER),
        # The rate 0.003 is not chosen: its loss is larger.
        ("corrected", 0.003): {"loss": 1 + 0 * ONE, "test_accuracy": 0.1 + 0 * ONE},
        ("corrected", 0.01): of(corrected + spread * OTHER[::-1]),
    }
    spec = {"problem": {"train_size": 300}}
    jobs = {
        "large-batch" if size == 8 else f"large-batch-{size}": ends(large if size == "full" else small, START, spec)
        for size in BATCHES
    }
    return LESSONS["large-batch"].judge({**jobs, "large-batch-long": ends(large, START, spec)})


def test_large_batches_must_be_worse_and_the_correction_must_remove_the_difference() -> None:
    assert large_batch(0.90, 0.95).verdict == "holds"
    assert large_batch(0.95, 0.95).verdict.startswith("fails: at equal epochs the full batch differs by")
    assert large_batch(0.90, 0.92).verdict.startswith("fails: at equal epochs")
    assert large_batch(0.90, 0.95, spread=0.2).verdict.startswith("inconclusive: at equal epochs")


@pytest.mark.parametrize(
    ("factor", "verdict"), [(2.0, "holds"), (1.0, "fails: it is not true that per epoch"), (None, "inconclusive")]
)
def test_smaller_batches_must_descend_faster_by_intervals(factor: float | None, verdict: str) -> None:
    rng, jobs = np.random.default_rng(3), {}
    for prefix, sizes, examples in (
        ("three-flavours", FLAVOURS, {"kind": "digits", "model": "mlp", "train_size": 300}),
        ("three-flavours-flipnet", FLIPNET_BATCHES, {"kind": "flipnet"}),
    ):
        for at, size in enumerate(sizes):
            # The loss falls less with each larger batch, by a factor; None: by an amount of each seed.
            middle, spread = (1.0, 1.0) if factor is None else (factor ** -float(at), 0.01)
            fall = middle * np.exp(spread * rng.normal(size=NUM))
            loss = np.stack([np.full(NUM, 99.0), 99.0 - fall, 99.0 - fall], axis=1)
            fields = {
                "loss": loss,
                "gradient_variance": np.full((NUM, 3), float(at == 0)),
                "grad_norm": np.ones((NUM, 3)),
                "update_norm": np.full((NUM, 3), 0.05),
            }
            spec = {"problem": examples, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 2, "batch_size": size}
            name = prefix if size == 1 and prefix == "three-flavours" else f"{prefix}-{size}"
            jobs[name] = job({("sgd", 0.05): fields}, range(3), spec)
    assert LESSONS["three-flavours"].judge(jobs).verdict.startswith(verdict)
