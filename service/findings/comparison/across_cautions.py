"""Warnings of a comparison across jobs: its own, and those of each job."""

from collections.abc import Sequence

from service.analysis.simultaneous import MAX_NORMAL, MIN_SEEDS
from service.findings.comparison.cautions import caution, cautions
from service.findings.comparison.criterion import measure_of
from service.findings.comparison.evidence import Evidence
from service.findings.comparison.judged import judge
from service.findings.comparison.members import Member, related_key
from service.findings.comparison.targets import Target
from service.findings.comparison.words import names, plural, spoken

# Warnings of a comparison of one job about its intervals, which here are over problems.
_OF_ONE_JOB = ("relies_on_normality", "linear_scale")
_LIST = 5


def cautions_across(problems: Sequence[Evidence]) -> list[dict[str, str]]:
    """List the limits of the answer, those of all jobs together first."""
    members = [member for one in problems for member in one.members]
    found = [caution(*one) for one in [*_repeated(problems, members), *_number(problems), *_goals(problems)]]
    return found + _of_jobs(problems, members)


def _repeated(problems: Sequence[Evidence], members: Sequence[Member]) -> list[tuple[str, str]]:
    found = []
    for member in members:
        if member.same:
            ids = ", ".join(sorted(job.id for job in [member.job, *member.same]))
            found.append(("same_spec_twice", f"These jobs have the same spec and count once: {ids}."))
    for one in problems:
        judging = sum(member.num_judging for member in one.members)
        repeated = judging - sum(one.counted) - one.num_at_start
        if len(one.members) > 1 and repeated > 0 and not any(member.is_partial for member in one.members):
            jobs = _names(one.members, members)
            found.append(("seeds_repeat_across", f"{jobs} have the same problem and show "
                          f"{plural(repeated, 'seed')} twice, which count once."))  # fmt: skip
    for position, label in enumerate(members[0].choice.labels if members else ()):
        entries = [member.table.runs.entries[position].entry for member in members]
        kinds = sorted({entry.kind for entry in entries})
        if len(kinds) > 1:
            found.append(
                (
                    "kinds_differ",
                    f"{spoken(label)} is not the same optimizer in all jobs: {', '.join(map(spoken, kinds))}.",
                )
            )
    return found


def _number(problems: Sequence[Evidence]) -> list[tuple[str, str]]:
    num, found = len(problems), []
    if num == 1:
        found.append(("few_problems", "One problem: the bands resample its seeds only. They describe this problem, and "
                      "no other."))  # fmt: skip
    elif num < MIN_SEEDS:
        found.append(("few_problems", f"{num} problems: the bands describe these problems, not others. A conclusion "
                      f"takes at least {MIN_SEEDS}."))  # fmt: skip
    elif num <= MAX_NORMAL:
        found.append(("relies_on_normality", f"With {num} problems the intervals rely on roughly normal differences."))
    alone = len({related_key(one.members[0].spec) for one in problems})
    if alone < num:
        found.append(("related_problems", f"Only {alone} of {num} problems differ in more than starts, epochs, batches "
                      "or precision: the others are related, and count as if they were not."))  # fmt: skip
    return found


def _goals(problems: Sequence[Evidence]) -> list[tuple[str, str]]:
    members = [member for one in problems for member in one.members]
    found = []
    unknown = [one.members[0] for one in problems if not one.goals.is_known and not one.goals.published]
    if unknown:
        found.append(("no_known_least_loss", f"{_names(unknown, members)}: no least loss is known, so targets are "
                      "measured from the best loss that the compared labels recorded."))  # fmt: skip
    met = [one.members[0] for one in problems if one.num_at_start]
    if met:
        num = sum(one.num_at_start for one in problems)
        found.append(("target_met_at_start", f"{_names(met, members)}: {plural(num, 'seed')} "
                      f"{'begins' if num == 1 else 'begin'} at the target, and say nothing."))  # fmt: skip
    return found


def _of_jobs(problems: Sequence[Evidence], members: Sequence[Member]) -> list[dict[str, str]]:
    """Join the warnings of jobs that are equal."""
    jobs: dict[tuple[str, str], list[Member]] = {}
    for one in problems:
        goals = one.goals
        target = Target(goals.aims[0], goals.source, "") if goals.aims else None
        for member in one.members:
            for each in _of_job(member, target):
                jobs.setdefault((each["code"], each["sentence"]), []).append(member)
    return [
        caution(code, sentence if len(members) == 1 else f"{_names(of, members)}: {sentence}")
        for (code, sentence), of in jobs.items()
    ]


def _of_job(member: Member, target: Target | None) -> list[dict[str, str]]:
    spec, table, choice = member.table.runs.spec, member.table, member.choice
    found = judge(spec, table, choice, measure_of(spec, table, "epochs_to_target"), partial=member.is_partial)
    warnings = cautions(spec, table, choice, found, target, partial=member.is_partial)
    kept = []
    for each in warnings:
        if each["code"] in _OF_ONE_JOB:
            continue
        sentence = each["sentence"]
        if each["code"] == "few_seeds":
            seeds = plural(member.num_judging, "distinct seed")
            sentence = f"{seeds} to judge by: fewer than {MIN_SEEDS} show little of the spread over seeds."
        kept.append(caution(each["code"], sentence))
    return kept


def _names(some: Sequence[Member], members: Sequence[Member]) -> str:
    """Name jobs; by id as well where another one has the same name."""
    if len(some) == len(members) > 1:
        return f"All {len(members)} jobs"
    known = [member.job.name for member in members]
    shown = [job.name if known.count(job.name) == 1 else f"{job.name} ({job.id})"
             for job in (member.job for member in some)]  # fmt: skip
    return names(shown)
