"""What each problem shows: numbers of every seed for every label, and their means.

Legend: L labels, U seeds, T starts, K goals, I instances (start, goal) of one seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.profiles import MAX_RATIO, performance_ratios, profile_score, shares_within
from service.findings.comparison.goals import Goals, goals_of, read_times
from service.findings.comparison.members import Member
from service.findings.comparison.table import Floats

NUM_RATIOS = 31
RATIOS = np.linspace(1, MAX_RATIO, NUM_RATIOS)


@dataclass(frozen=True, eq=False)
class Evidence:
    """One problem.

    Attributes:
        members: The jobs that have it.
        counted: How many seeds of each job count; a seed that another job has shown counts once.
        cost_UL: Mean of log(min(T, epochs) / epochs) over the instances of a seed.
        numbers_ULC: For each seed and label the score, the share of goals reached, the profile, and the runtimes.
        num_at_start: Number of seeds that begin at all of their goals, and show nothing.
    """

    members: list[Member]
    goals: Goals
    counted: list[int]
    cost_UL: Floats
    numbers_ULC: Floats
    num_at_start: int

    @property
    def num_seeds(self) -> int:
        """Count the seeds."""
        return len(self.cost_UL)

    @property
    def epochs(self) -> int:
        """Length of a run."""
        return self.members[0].spec.epochs

    @property
    def cost_L(self) -> Floats:
        """Mean over seeds of the logarithm of the share of epochs that each label needs."""
        return np.asarray(self.cost_UL.mean(axis=0))

    @property
    def solved_L(self) -> Floats:
        """Share of goals that each label reaches."""
        return np.asarray(self.numbers_ULC[:, :, 1].mean(axis=0))


def read_evidence(session: Session, members: list[Member], asked: float | None, budgets: Floats) -> Evidence:
    """Read the seeds of one problem. A goal at which a run begins shows nothing, and is left out."""
    goals = goals_of([member.spec for member in members], [member.table for member in members], asked)
    counted, seeds, at_start = [], [], 0
    for member, fresh in zip(members, _fresh(members), strict=True):
        table, rows = member.table, member.choice.rows
        time_LNTK = read_times(session, member.job, member.spec, table, rows, goals)
        # Warnings of a job are about one loss.
        table.first_SN = np.full(table.recorded_SN.shape, np.inf)
        table.first_SN[rows] = time_LNTK[..., 0].reshape(len(rows), -1)
        shown = [time_LNTK[:, member.choice.judging_J[position]] for position in fresh]
        informative = [time_LTK for time_LTK in shown if _informative(time_LTK)[:, goals.counted].any()]
        seeds += informative
        counted.append(len(informative))
        at_start += len(shown) - len(informative)
    # The order of seeds decides which of them a resample draws, so it must not depend on the order of jobs.
    seeds.sort(key=lambda time_LTK: time_LTK.tobytes())
    epochs = members[0].spec.epochs
    numbers = [_numbers(time_LTK, goals, epochs, budgets) for time_LTK in seeds]
    num_labels = len(members[0].choice.labels)
    return Evidence(
        members=members,
        goals=goals,
        counted=counted,
        cost_UL=np.array([cost_L for cost_L, _ in numbers]).reshape(-1, num_labels),
        numbers_ULC=np.array([numbers_LC for _, numbers_LC in numbers]).reshape(
            -1, num_labels, 2 + NUM_RATIOS + len(budgets)
        ),
        num_at_start=at_start,
    )


def _fresh(members: Sequence[Member]) -> list[list[int]]:
    """List for each job the judging seeds that all labels have and that no earlier job has shown."""
    known: set[bytes] = set()
    found = []
    for member in members:
        recorded_LNT = np.stack(
            [member.choice.values(member.table, member.table.recorded_SN, row) for row in member.choice.rows]
        )
        mine = []
        for position in np.flatnonzero(recorded_LNT.all(axis=(0, 2))).tolist():
            keys = member.keys(position)
            if known.isdisjoint(keys):
                mine.append(position)
            known.update(keys)
        found.append(mine)
    return found


def _informative(time_LTK: Floats) -> NDArray[np.bool_]:
    """Find the goals at which not every label begins, [T, K]."""
    return np.asarray((time_LTK != 0).any(axis=0))


def _numbers(time_LTK: Floats, goals: Goals, epochs: int, budgets: Floats) -> tuple[Floats, Floats]:
    """Compute the numbers of one seed: its costs [L], and what is averaged over seeds and problems [L, C]."""
    left_TK = _informative(time_LTK)
    cost_LI, time_LI = (time_LTK[:, :, part][:, left_TK[:, part]] for part in (goals.counted, goals.ladder))
    if not time_LI.shape[1]:
        time_LI = cost_LI
    weight_I, weight_J = (np.full(of.shape[1], 1 / of.shape[1]) for of in (cost_LI, time_LI))
    ratio_LI = performance_ratios(cost_LI)
    numbers_LC = [
        np.concatenate([
            profile_score(ratio_LI[[label]], weight_I),
            [np.isfinite(cost_LI[label]).mean()],
            shares_within(ratio_LI[label], RATIOS, weight_I),
            shares_within(time_LI[label], budgets, weight_J),
        ])
        for label in range(len(cost_LI))
    ]  # fmt: skip
    return np.log(np.minimum(cost_LI, epochs) / epochs).mean(axis=1), np.stack(numbers_LC)
