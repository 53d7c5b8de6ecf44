"""Importance of hyper-parameters: the share of the variance of scores that each explains alone."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Values of a hyper-parameter are grouped into at most this many groups of equal size.
MAX_GROUPS = 8


def variance_share(values_M: Floats, scores_M: Floats) -> float:
    """Give the share of the variance of ranked scores that the groups of one hyper-parameter explain, 0 to 1.

    The main effect of a functional ANOVA (Hutter, Hoos, Leyton-Brown: An Efficient Approach for Assessing
    Hyperparameter Importance, 2014) without its forest: ε² = (SSB − (k − 1)·MSW) / SST over k groups, which is 0 on
    average where the groups do not matter (Kelley: An Unbiased Correlation Ratio Measure, 1935). Ranks make it
    independent of the scale of the scores, and let infinite ones count as equally bad.

    Args:
        values_M: Value of the hyper-parameter in each setting.
        scores_M: Score of each setting, smaller is better; +Infinity if it diverged.
    """
    group_M = _groups(values_M)
    rank_M = _ranks(scores_M)
    total = float(((rank_M - rank_M.mean()) ** 2).sum())
    num, num_groups = len(rank_M), int(group_M.max()) + 1
    if total == 0 or num_groups < 2 or num <= num_groups:
        return 0.0
    count_G = np.bincount(group_M)
    mean_G = np.bincount(group_M, rank_M) / count_G
    between = float((count_G * (mean_G - rank_M.mean()) ** 2).sum())
    within = (total - between) / (num - num_groups)
    return float(np.clip((between - (num_groups - 1) * within) / total, 0.0, 1.0))


def _ranks(scores_M: Floats) -> Floats:
    """Rank scores from 0; equal ones share their mean rank."""
    _, place_M, count_D = np.unique(scores_M, return_inverse=True, return_counts=True)
    rank_D = np.cumsum(count_D) - (count_D + 1) / 2
    return np.asarray(rank_D[place_M.reshape(-1)], dtype=np.float64)


def _groups(values_M: Floats) -> NDArray[np.int64]:
    """Number the groups of equal values; of many values, groups of neighbours of about √M settings."""
    distinct, group_M = np.unique(values_M, return_inverse=True)
    num_groups = max(2, min(MAX_GROUPS, int(np.sqrt(len(values_M)))))
    if len(distinct) <= num_groups:
        return np.asarray(group_M.reshape(-1), dtype=np.int64)
    return np.asarray(group_M.reshape(-1) * num_groups // len(distinct), dtype=np.int64)
