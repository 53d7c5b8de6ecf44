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


DESCRIPTION = (
    "Loss curves, paths in the plane, a heat map over a grid, the criterion with intervals, confidence intervals of "
    "the ranks, or epochs over all targets."
)
