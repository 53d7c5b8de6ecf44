"""Jobs that are compared with each other: which of them repeat a spec, and which have the same problem."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.database.states import JobStatus
from service.database.tables import Job
from service.findings.comparison.choice import Choice, choose
from service.findings.comparison.measured import read_table
from service.findings.comparison.table import Table
from service.spec.job import JobSpec

# Fields of a spec that do not change its runs.
_NAMES = ("name", "ttl_seconds", "time_limit_seconds")
# Fields besides that do not change the problem.
_NOT_OF_THE_PROBLEM = ("seeds", "optimizers", "target_loss", "criterion", "measure", "record_every")
_STARTS = ("start", "starts")


@dataclass(frozen=True, eq=False)
class Member:
    """A job as if it had only the labels that all jobs have.

    Attributes:
        spec: The spec, with all entries.
        problem: Digest of the problem and of how it is trained.
        table: Settings of the common labels, sorted by label.
        choice: The setting of each label.
        same: Further jobs with the same spec, which count for nothing.
    """

    job: Job
    spec: JobSpec
    problem: str
    table: Table
    choice: Choice
    same: list[Job]

    @property
    def is_partial(self) -> bool:
        """Whether runs of the common labels are missing or were stopped."""
        table = self.table
        whole_SN = table.ended_SN & (table.diverged_SN | (table.epochs_SN >= self.spec.epochs))
        return not bool(whole_SN.all())

    @property
    def num_judging(self) -> int:
        """Count the distinct seeds that judge."""
        return len(self.choice.judging_J)

    @cached_property
    def settings(self) -> list[dict[str, Any]]:
        """Hyper-parameters of the setting of each label."""
        return [self.table.setting(row).optimizer for row in self.choice.rows]

    def keys(self, position: int) -> list[bytes]:
        """Give keys by which a judging seed is recognised: of its number and the settings, and of its histories."""
        table, rows = self.table, self.choice.rows
        distinct = self.choice.judging_J[[position]]
        seed = int(table.runs.seeds(table.distinct[distinct])[0])
        keys = [_digest([seed, self.settings]).encode()]
        digest_LT = np.stack([table.by_seed(table.digest_SN[[row]])[0, distinct[0]] for row in rows])
        return keys if (digest_LT == -1).any() else [*keys, digest_LT.tobytes()]


def common_labels(specs: Sequence[JobSpec]) -> list[str]:
    """List the labels that all specs have, sorted."""
    labels = [{str(entry.label) for entry in spec.optimizers} for spec in specs]
    return sorted(set.intersection(*labels))


def members_of(session: Session, jobs: Sequence[Job], specs: Sequence[JobSpec], labels: Sequence[str]) -> list[Member]:
    """Read the common labels of all jobs; of jobs with equal specs only one, a completed one if there is one.

    The order depends on problems, specs and ids, not on the order of the jobs.
    """
    by_spec: dict[tuple[str, str], list[tuple[Job, JobSpec]]] = {}
    for job, spec in zip(jobs, specs, strict=True):
        by_spec.setdefault((problem_of(spec), _digest(_without(spec, _NAMES))), []).append((job, spec))
    members = []
    for (problem, _), equal in sorted(by_spec.items(), key=lambda item: item[0]):
        equal.sort(key=lambda one: (one[0].status != JobStatus.COMPLETED, one[0].id))
        (job, spec), *rest = equal
        positions = {str(entry.label): number for number, entry in enumerate(spec.optimizers)}
        table = read_table(session, job, spec, [positions[label] for label in labels])
        members.append(Member(job, spec, problem, table, choose(table, None), [other for other, _ in rest]))
    return members


def by_problem(members: Sequence[Member]) -> list[list[Member]]:
    """Group members by their problems."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.problem, []).append(member)
    return list(groups.values())


def problem_of(spec: JobSpec) -> str:
    """Compute the digest of a problem and of how it is trained, whatever the optimizers, the seeds and the target."""
    return _digest({**_without(spec, _NAMES + _NOT_OF_THE_PROBLEM), "maximize": spec.maximize})


def related_key(spec: JobSpec) -> str:
    """Compute the digest of a problem alone, without starts, epochs and batches."""
    problem = _without(spec, ())["problem"]
    return _digest({name: value for name, value in problem.items() if name not in _STARTS})


def _without(spec: JobSpec, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in spec.as_dict().items() if name not in names}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
