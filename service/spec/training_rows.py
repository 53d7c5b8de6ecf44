"""The parts of a dataset that a job has: its validation share, and checks of the rows that remain for training."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from service.spec.entry import Entry
from service.spec.entry_settings import num_settings
from service.spec.problems import Data, Problem
from service.spec.search import Search

if TYPE_CHECKING:
    from service.spec.job import JobSpec


def with_validation(problem: Problem, entries: Sequence[Entry], search: Search) -> Problem:
    """Fill in the validation share: settings of a label are chosen by rows that neither train nor test."""
    if not isinstance(problem, Data):
        return problem
    return problem.with_settings(several=any(num_settings(entry, search) > 1 for entry in entries))


def objections(spec: "JobSpec") -> Iterator[tuple[tuple[str, ...], str]]:
    """Give a place and a sentence for each reason why the training rows do not suffice."""
    problem = spec.problem
    if not isinstance(problem, Data):
        return
    left = problem.portions.training
    if left < 1:
        unit = "windows of the text" if problem.is_text else "rows"
        yield ("problem",), f"no {unit} are left for training: of {problem.num_windows:,}, lower the shares of others"
    elif (problem.train_size or 0) > left:
        yield ("problem", "train_size"), f"must be at most {left:,}, the examples that are left for training"
    elif isinstance(spec.batch_size, int) and spec.batch_size > problem.num_examples:
        yield ("batch_size",), f"must be 'full' or from 1 to {problem.num_examples} (got {spec.batch_size})"
