"""Models of answers on the choice of a label's setting."""

from typing import Any

from service.api.schemas.answers import Answer, Number


class ChosenAnswer(Answer):
    """The setting that stands for a label."""

    setting: str
    """Its label, with the hyper-parameters that vary."""
    optimizer: dict[str, Any]
    """The kind and every hyper-parameter."""
    code: str | None
    """One line of Python that makes it in PyTorch; null where no library has the method, and for an update
    rule, which `optimizer` gives whole."""


class ExpectedBest(Answer):
    """Benefit of tuning: the expected score of the best of k settings drawn at random (Dodge et al. 2019)."""

    settings_tried: list[int]
    """Numbers k of settings drawn."""
    loss: list[Number]
    """For each k, the expected best median over the choosing seeds."""
    low: list[Number]
    """For each k, the 2.5 % quantile of the best."""
    high: list[Number]
    """For each k, the 97.5 % quantile of the best."""
    diverged_counts_as: Number
    """Loss of a setting whose median run diverged: that of the untrained start."""


class RateBand(Answer):
    """Sensitivity: the learning rates around the best one whose loss above the least one is within 10 % of the best."""

    num_rates: int
    """The learning rates of the job."""
    best: float
    """The best learning rate."""
    low: float | None
    """Smallest learning rate of the band; null where the least loss is unknown, so that the band has no meaning."""
    high: float | None
    """Largest learning rate of the band; null where the least loss is unknown."""
    decades: float | None
    """log10(high / low); null where the least loss is unknown."""


class Importance(Answer):
    """Importance of a hyper-parameter for the score of a setting."""

    name: str
    """The hyper-parameter."""
    variance_share: float
    """Share of the variance of the settings' ranks that it explains alone, from 0 to 1."""


class TuningAnswer(Answer):
    """Choice among the settings of a label by the choosing seeds."""

    num_settings: int
    """Number of settings."""
    expected_best: ExpectedBest | None
    """Benefit of more settings; null where the loss is maximised."""
    learning_rates: RateBand | None
    """Sensitivity to the learning rate; null without several rates, and in a search over several hyper-parameters."""
    good_share: float | None
    """Share of the settings whose loss above the least one is within 10 % of the best; null where the least loss is
    unknown, or the loss is maximised."""
    importance: list[Importance]
    """The hyper-parameters that vary, in the order in which they nest."""
