"""Which setting stands for each label: chosen by seeds at even positions, judged by those at odd ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.summaries import median_scores
from service.errors import Rejected
from service.findings.comparison.table import Table
from service.spec.entry_settings import EntrySettings

Floats = NDArray[np.float64]
# With tuned=false every setting is a label of its own, up to this number.
MAX_LABELS = 64


@dataclass(frozen=True)
class Choice:
    """The labels that are compared, and the seeds that judge them.

    Attributes:
        labels: Their names: those of entries where settings were chosen, else those of settings.
        rows: The row that stands for each.
        judging_J: Positions of the judging seeds among the distinct ones.
        num_choosing: Number of seeds that chose; 0 where nothing was chosen.
        scores_S: Median by which settings were chosen, [S], smaller is better; None where nothing was chosen.
        on_judged: Whether the choosing seeds are also the judging ones, because there is a single distinct seed.
    """

    labels: list[str]
    rows: list[int]
    judging_J: NDArray[np.int64]
    num_choosing: int = 0
    scores_S: Floats | None = None
    on_judged: bool = False

    @property
    def is_tuned(self) -> bool:
        """Whether settings were chosen."""
        return self.scores_S is not None

    def values(self, table: Table, values_SN: NDArray[Any], row: int) -> NDArray[Any]:
        """Give the values of a row for the judging seeds, [seeds, starts]."""
        return np.asarray(table.by_seed(values_SN[[row]])[0, self.judging_J])


def choose(table: Table, tuned: bool | None, only: Sequence[int] | None = None) -> Choice:
    """Choose the setting of each label, by default where a label has several.

    Args:
        table: All settings.
        tuned: Whether to choose; None decides by the job.
        only: Entries that are compared; by default all.

    Raises:
        Rejected: ``tuned`` is false and there are more than 64 settings.
    """
    compared = range(len(table.runs.entries)) if only is None else only
    entries = [table.runs.entries[number] for number in compared]
    several = any(settings.num > 1 for settings in entries)
    everything = np.arange(table.num_seeds)
    if tuned is False or not several:
        rows = [row for number in compared for row in table.rows_of(number)]
        if len(rows) > MAX_LABELS:
            raise Rejected.at(
                "query",
                "tuned",
                f"with tuned=false every setting is a label of its own, at most {MAX_LABELS}; this job has "
                f"{len(rows):,}. Leave tuned out: one setting of each label is then chosen by half of the "
                "seeds",
            )
        return Choice([table.setting(row).label for row in rows], rows, everything)
    if table.runs.spec.decide is not None:
        return _decided(table, entries, compared)
    on_judged = table.num_seeds < 2
    choosing_J = everything if on_judged else everything[::2]
    scores_S = _scores(table, choosing_J)
    rows = []
    for number in compared:
        mine = table.rows_of(number)
        rows.append(mine.start + int(scores_S[mine.start : mine.stop].argmin()))
    labels = [str(settings.entry.label) for settings in entries]
    judging_J = everything if on_judged else everything[1::2]
    return Choice(labels, rows, judging_J, len(choosing_J), scores_S, on_judged)


def _decided(table: Table, entries: Sequence[EntrySettings], compared: Sequence[int]) -> Choice:
    """Give the choice of a job that decides: its first seeds have chosen, and the later ones judge."""
    is_first_J = table.distinct < table.runs.num_choosing
    scores_S = _scores(table, np.flatnonzero(is_first_J))
    rows = []
    for number in compared:
        mine = table.rows_of(number)
        chosen = [row for row in table.chosen if row in mine]
        rows.append(chosen[0] if chosen else mine.start + int(scores_S[mine.start : mine.stop].argmin()))
    labels = [str(settings.entry.label) for settings in entries]
    return Choice(labels, rows, np.flatnonzero(~is_first_J), int(is_first_J.sum()), scores_S)


def best_row(table: Table, entry: int) -> int:
    """Find the setting of an entry with the best median over all seeds; the first one if nothing is recorded."""
    rows = table.rows_of(entry)
    return rows.start + int(scores_of(table)[rows.start : rows.stop].argmin())


def scores_of(table: Table) -> Floats:
    """Give the score of every setting over all seeds, [S], smaller is better."""
    return _scores(table, np.arange(table.num_seeds))


def _scores(table: Table, choosing_J: NDArray[np.int64]) -> Floats:
    """Give the median validation loss, else the median final loss, of every setting, [S]; never of a test field."""
    values_SN = table.last.get("validation_loss", table.final_SN)
    known_SN = np.where(table.recorded_SN, values_SN, np.nan)
    of_row = table.by_seed(known_SN)[:, choosing_J].reshape(table.num_settings, -1)
    return median_scores(of_row, larger_is_better=table.larger_is_better)
