"""What is answered of labels that were tuned: the setting that was chosen, and what tuning buys."""

from typing import Any

from service.api.schemas.answers import Answer, Number
from service.api.schemas.estimates import EstimateAnswer, SummaryAnswer


class ExpectedBest(Answer):
    """What tuning buys: the loss to expect of the best of some settings drawn at random (Dodge et al. 2019)."""

    settings_tried: list[int]
    """Numbers of settings drawn."""
    loss: list[Number]
    """For each number of settings tried, the expected best median final loss, on the first half."""
    diverged_counts_as: Number
    """Loss that a setting counts with whose median run diverged: the median at the start."""


class RateBand(Answer):
    """How sensitive a label is: the learning rates around the best one whose loss is within 10 % of its loss."""

    num_rates: int
    """Rates that were tried."""
    best: float
    """The best of them."""
    low: float
    """Smallest rate of the band."""
    high: float
    """Largest rate of the band."""
    decades: float
    """log10(high / low)."""


class TunedLabel(Answer):
    """One label, tuned."""

    label: str
    """The label."""
    num_settings: int
    """Settings that were tried."""
    chosen: str
    """The setting with the smallest median final loss on the first half."""
    optimizer: dict[str, Any]
    """Every hyper-parameter of the chosen setting."""
    final_loss: SummaryAnswer | None
    """Of the chosen setting, on the other half; null where there is none."""
    difference_to_first: EstimateAnswer | None
    """Interquartile mean of final loss minus that of the first label's chosen setting, on the other half."""
    expected_best: ExpectedBest
    """What tuning buys."""
    learning_rates: RateBand | None
    """Null without a grid of rates."""


class TunedAnswer(Answer):
    """Each label at its best setting, chosen on every other pair and judged on the rest."""

    chosen_on_pairs: int
    """Pairs of seed and start that settings are chosen on."""
    judged_on_pairs: int
    """Pairs that they are judged on."""
    labels: list[TunedLabel]
    """The labels, in the order of the spec."""
