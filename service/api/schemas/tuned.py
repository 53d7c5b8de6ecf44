"""Models of answers of a tuned comparison: the chosen setting of each label, and the benefit of tuning."""

from typing import Any

from service.api.schemas.answers import Answer, Number
from service.api.schemas.estimates import EstimateAnswer, SummaryAnswer


class ExpectedBest(Answer):
    """Benefit of tuning: the expected loss of the best of k settings drawn at random (Dodge et al. 2019)."""

    settings_tried: list[int]
    """Numbers k of settings drawn."""
    loss: list[Number]
    """For each k, the expected best median final loss on the first half of the pairs."""
    diverged_counts_as: Number
    """Loss of a setting whose median run diverged: the median loss at the start."""


class RateBand(Answer):
    """Sensitivity of a label: the learning rates around the best one whose loss is within 10 % of its loss."""

    num_rates: int
    """The learning rates of the job."""
    best: float
    """The best learning rate."""
    low: float
    """Smallest learning rate of the band."""
    high: float
    """Largest learning rate of the band."""
    decades: float
    """log10(high / low)."""


class TunedLabel(Answer):
    """One label with its chosen setting."""

    label: str
    """The label."""
    num_settings: int
    """Number of settings."""
    chosen: str
    """The setting with the smallest median final loss on the first half of the pairs."""
    optimizer: dict[str, Any]
    """Every hyper-parameter of the chosen setting."""
    final_loss: SummaryAnswer | None
    """Final loss of the chosen setting on the other half; null without rows."""
    difference_to_first: EstimateAnswer | None
    """Final loss minus that of the chosen setting of the first label on the other half, as an interquartile mean."""
    expected_best: ExpectedBest
    """Benefit of tuning."""
    learning_rates: RateBand | None
    """Sensitivity to the learning rate; null without a grid of learning rates."""


class TunedAnswer(Answer):
    """Each label at its best setting, chosen on every second pair and evaluated on the others."""

    chosen_on_pairs: int
    """Number of pairs of seed and start on which settings are chosen."""
    judged_on_pairs: int
    """Number of pairs on which they are evaluated."""
    labels: list[TunedLabel]
    """The labels, in the order of the spec."""
