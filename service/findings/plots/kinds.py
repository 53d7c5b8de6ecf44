"""Kinds of plot: the one list, from which the routes, the command line and the functions that draw derive."""

from enum import StrEnum


class Kind(StrEnum):
    """Kind of plot."""

    LOSS = "loss"
    PATHS = "paths"
    HEATMAP = "heatmap"
    COMPARISON = "comparison"
    RANKS = "ranks"
    TARGETS = "targets"
    TUNING = "tuning"
    IMPORTANCE = "importance"


DESCRIPTION = (
    "Loss curves, paths in the plane, a heat map over a grid, the criterion with intervals, confidence intervals of "
    "the ranks, epochs over all targets, the expected best against the number of trials, or the importance of "
    "hyper-parameters."
)
