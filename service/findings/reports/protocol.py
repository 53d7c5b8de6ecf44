"""The protocol of a job in sentences: what was trained, how settings were chosen, and how labels were compared."""

from collections.abc import Iterator
from typing import Any

from service.analysis.simultaneous import MIN_SEEDS
from service.findings.comparison.words import number, plural, spoken, spoken_all
from service.findings.reports.methods import has_intervals
from service.findings.reports.spaces import space_of
from service.spec.decide import Decide
from service.spec.job import JobSpec
from service.spec.problems import Data, Surface
from service.spec.runs import Runs
from service.spec.seeds import SeedRange
from service.spec.surfaces import SURFACES

# Letters of the settings of a problem, and seeds of a list, that are written out.
MAX_LETTERS, MAX_SEEDS = 300, 12


def question(spec: JobSpec, found: dict[str, Any]) -> str:
    """Write the question of a job."""
    labels = spoken_all([label["label"] for label in found["labels"]])
    problem = problem_name(spec)
    if len(labels) == 1:
        return f"How does {labels[0]} do on {problem}?"
    listed = f"{', '.join(labels[:-1])} and {labels[-1]}"
    return f"Which of {listed} is best on {problem}?"


def problem_name(spec: JobSpec) -> str:
    """Name the problem."""
    problem = spec.problem
    if isinstance(problem, Surface):
        return f"the surface {problem.name}" if problem.name else f"the surface {problem.expression}"
    if isinstance(problem, Data):
        return f"{problem.model.kind} on {problem.dataset}"
    title: str = problem.title
    return title


def protocol(spec: JobSpec, found: dict[str, Any]) -> str:
    """Write the protocol as one paragraph."""
    return " ".join(_sentences(spec, found))


def spaces(spec: JobSpec) -> tuple[tuple[str, ...], ...]:
    """List the entries: label, method, hyper-parameters, number of settings."""
    return tuple(
        (spoken(str(settings.entry.label)), settings.entry.method, space_of(settings.entry), f"{settings.num:,}")
        for settings in Runs(spec).entries
    )


def _sentences(spec: JobSpec, found: dict[str, Any]) -> Iterator[str]:
    yield _problem(spec)
    yield from _training(spec, found)
    yield from _choice(spec, found)
    yield from _comparison(spec, found)


def _problem(spec: JobSpec) -> str:
    problem = spec.problem
    formula = problem.formula
    if isinstance(problem, Surface):
        formula = SURFACES[problem.name].formula if problem.name else str(problem.expression)
    given = problem.model_dump(mode="json", exclude={"kind", "name", "expression", "resolved"}, exclude_defaults=True)
    settings = ", ".join(f"{name} {value}" for name, value in given.items())
    if len(settings) > MAX_LETTERS:
        settings = f"{settings[:MAX_LETTERS]} …"
    dimension = plural(problem.num_parameters, "parameter")
    return f"The problem is {problem_name(spec)} with {dimension}: {formula}{f'; {settings}' if settings else ''}."


def _training(spec: JobSpec, found: dict[str, Any]) -> Iterator[str]:
    decision = found.get("decision") or {}
    runs = len(Runs(spec, found["seeds"] if spec.decide else None, decision.get("chosen")))
    trained = f"Each run is trained for {plural(spec.epochs, 'epoch')}"
    if spec.problem.num_examples is not None:
        batches = (
            "all examples" if spec.batch_size == "full" else f"batches of {plural(int(spec.batch_size), 'example')}"
        )
        trained += f" of {plural(spec.updates_per_epoch, 'update')} with {batches}"
        trained += ", reordered each epoch" if spec.shuffle else ""
    if spec.accumulate > 1:
        trained += f", {spec.accumulate} micro-batches for an update"
    yield f"{trained}, in {spec.dtype}; {plural(runs, 'run')} in all."
    starts = f" and {plural(found['starts'], 'start')}" if found["starts"] > 1 else ""
    # In a job that decides, later seeds train the chosen settings only.
    whose = "labels" if spec.decide and found["tuned"] else "settings"
    yield f"All {whose} have the same {plural(found['seeds'], 'seed')}{starts} ({_seeds(spec, found['seeds'])})."
    if (decide := spec.decide) is not None and isinstance(spec.seeds, SeedRange):
        first = plural(spec.seeds.count, "seed")
        yield (
            f"Seeds were added in batches of {decide.batch} after the first {first}, up to {decide.max_seeds:,}, until "
            "every label had a verdict."
        )


def _seeds(spec: JobSpec, num: int) -> str:
    """Name the seeds; ``num`` of a range have been trained."""
    if isinstance(spec.seeds, SeedRange):
        last = spec.seeds.first + num - 1
        return f"seed {last}" if num == 1 else f"seeds {spec.seeds.first} to {last}"
    shown = ", ".join(map(str, spec.seeds[:MAX_SEEDS]))
    noun = "seed" if len(spec.seeds) == 1 else "seeds"
    return f"{noun} {shown}{', …' if len(spec.seeds) > MAX_SEEDS else ''}"


def _choice(spec: JobSpec, found: dict[str, Any]) -> Iterator[str]:
    searched = [spoken(str(entry.label)) for entry in spec.optimizers if entry.is_searched]
    if searched:
        method = "a scrambled Sobol sequence" if spec.search.method == "sobol" else "uniform random points"
        trials = plural(spec.search.trials, "trial")
        each = f"Each of {', '.join(searched)} has" if len(searched) > 1 else f"{searched[0]} has"
        yield f"{each} exactly {trials}, drawn by {method} with seed {spec.search.seed}."
    if not found["tuned"]:
        return
    judging, choosing = found["replicates"], found["choosing_seeds"]
    median = "by the median of its final loss, or of its validation loss where the problem has one"
    if spec.decide is not None:
        yield (
            f"The first {plural(choosing, 'seed')} chose one setting of each label, {median}; "
            f"{plural(judging, 'later seed')} trained the chosen settings only, and judge them."
        )
    elif found["seeds"] > 1 and choosing + judging <= found["seeds"]:
        yield (
            f"{plural(choosing, 'seed')} at even positions chose one setting of each label, {median}; "
            f"{plural(judging, 'seed')} at odd positions judge the chosen settings."
        )
    else:
        yield f"One setting of each label was chosen {median}, on the seeds that also judge it."


def _comparison(spec: JobSpec, found: dict[str, Any]) -> Iterator[str]:
    criterion = found["criterion"]
    name = criterion["name"].replace("_", " ")
    declared = "declared in the spec before training" if criterion["declared"] else "not declared in the spec"
    better = "larger is better" if criterion["larger_is_better"] else "smaller is better"
    scale = "logarithmic, so that differences are ratios" if criterion["scale"] == "log" else "linear"
    yield f"The criterion is {name} ({declared}; {better}); its scale is {scale}."
    target = found["target"]
    if target["loss"] is not None:
        yield f"The target is a loss of {number(target['loss'])}: {_lower(target['reason'])}"
    yield "A run that diverged counts as the untrained start, and a missed target as all epochs."
    if spec.decide is not None and not found["partial"]:
        yield from _looks(spec, spec.decide, found)
    elif has_intervals(found):
        yield (
            f"All pairs of labels are compared on the same seeds with {100 * found['confidence']:g} % simultaneous "
            "confidence: Student's intervals with Bonferroni's correction (Dunn 1961), p adjusted step by step "
            "(Shaffer 1986), ranks by Mogstad, Romano, Shaikh and Wilhelm (2024)."
        )
    elif found["partial"]:
        yield "No interval is given and nothing is claimed before all runs have ended."
    elif len(found["ranks"]) > 1:
        yield f"No interval is given: that takes at least {MIN_SEEDS} judging seeds whose differences vary."


def _looks(spec: JobSpec, decide: Decide, found: dict[str, Any]) -> Iterator[str]:
    """Write how a job that decides came to its verdicts."""
    relative = decide.margin_kind == "relative"
    margin = f"{100 * decide.margin:.4g} % of the baseline's mean" if relative else number(decide.margin)
    other = spoken(str(spec.optimizers[0].label)) if decide.against == "baseline" else "the best of the other labels"
    yield (
        f"After every batch each label was compared with {other} by a confidence sequence for the mean difference "
        "within a seed, valid at every look (Student's t with a normal mixture, Wang and Ramdas 2025), corrected for "
        f"all labels: {100 * decide.confidence:g} % confidence that no verdict is wrong."
    )
    yield (
        f"Equal means that the interval lies inside ±{margin}; better and worse, that it excludes 0 and is not inside. "
        "A label keeps its first verdict."
    )
    if has_intervals(found):
        yield (
            f"All pairs of labels and ranks have such intervals too, with {100 * found['confidence']:g} % simultaneous "
            "confidence (Bonferroni's correction)."
        )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
