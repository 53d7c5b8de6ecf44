"""Program of `ravine verify`: train a bundle again, and compare every value."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from service.errors import NotFound, Rejected
from service.histories.bundle import HISTORIES
from service.histories.bundle_file import Bundle, NotABundle
from service.histories.bundle_rows import StoredRows
from service.jobs.limits import affordable
from service.settings import Settings, get_settings
from service.spec.datasets.media import media_type_of
from service.spec.datasets.table import Table
from service.spec.offered_kinds import offered_kinds
from service.spec.price import Price, price
from service.spec.runs import Runs
from service.spec.visible import visible
from worker.data.loading import table_of_file
from worker.engine.device import use_device
from worker.plugins.installed import Kinds, installed
from worker.receipt import DECISIVE, receipt
from worker.retraining import Difference, Tally, retrain

SAME, DIFFERENT, NO_BUNDLE, ELSEWHERE, INTERRUPTED = 0, 1, 2, 3, 130
_PROGRESS_SECONDS = 1.0


def main() -> int:
    """Verify the bundle of the command line, and give the exit code."""
    parser = argparse.ArgumentParser(prog="ravine verify", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--anyway", action="store_true")
    parser.add_argument("--dataset", type=Path)
    arguments = parser.parse_args()
    try:
        return verify(arguments.bundle, anyway=arguments.anyway, dataset=arguments.dataset)
    except NotABundle as error:
        return _fail(f"{arguments.bundle} is no bundle: {error}")
    except Rejected as error:
        return _fail(f"{arguments.bundle} exceeds a limit of this machine: {error.detail}")
    except NotFound as error:
        return _fail(f"{arguments.bundle} cannot be trained here: {error.detail}")
    except OSError as error:
        return _fail(f"{arguments.bundle} cannot be read: {error.strerror or error}")
    except KeyboardInterrupt:
        return INTERRUPTED


def verify(path: Path, *, anyway: bool, dataset: Path | None = None) -> int:
    """Train a bundle again, compare it, print the result, and give the exit code.

    ``dataset`` is the file of its uploaded dataset, by default the one in the bundle.

    Raises:
        NotABundle: The file is no bundle.
        Rejected: The job exceeds a limit of this machine's settings.
        NotFound: It was trained on an uploaded dataset which is not here.
        OSError: The file cannot be read.
    """
    with Bundle(path) as bundle:
        settings = get_settings()
        cost, chosen = _trained(bundle, settings)
        stored = StoredRows(bundle.histories(), bundle.spec, cost)
        if not stored.num_rows:
            raise NotABundle(f"{HISTORIES} has no rows: there is nothing to compare")
        table = _table(bundle, dataset)
        others = _other_environment(bundle.receipt, settings.device)
        kinds = installed(settings.optimizers)
        others += _other_classes(bundle, kinds)
        for sentence in others:
            _say(sentence)
        if others and not anyway:
            _say("The last bits of values may differ here: --anyway trains nevertheless.")
            return ELSEWHERE
        began_at = time.monotonic()
        tally = retrain(
            bundle.spec,
            cost,
            stored,
            chosen=chosen,
            is_complete=bundle.receipt.get("status") == "completed",
            goes_on=anyway,
            progress=_ProgressLines(cost.epochs_total),
            kinds=kinds,
            table=table,
        )
    return _conclude(tally, time.monotonic() - began_at, is_elsewhere=bool(others), is_whole=anyway)


def _table(bundle: Bundle, dataset: Path | None) -> Table | None:
    """Give the table of a job on data."""
    described = bundle.receipt.get("dataset")
    known = str(described.get("media_type", "")) if isinstance(described, dict) else ""
    try:
        content = bundle.dataset() if dataset is None else dataset.read_bytes()
        if content is None:
            return table_of_file(bundle.spec, None, known)
        return table_of_file(bundle.spec, content, media_type_of(known, "" if dataset is None else dataset.name))
    except Rejected as error:
        raise NotABundle(f"its dataset cannot be read: {error.detail}") from error


def _trained(bundle: Bundle, settings: Settings) -> tuple[Price, list[int] | None]:
    """Give the price of the runs of a bundle, and the settings that a job which decides has chosen."""
    cost = affordable(bundle.spec, settings)
    decided = bundle.receipt.get("decided")
    if bundle.spec.decide is None or not isinstance(decided, dict):
        return cost, None
    num, chosen = decided.get("runs_total"), decided.get("chosen")
    settings_of = range(Runs(bundle.spec).num_settings)
    is_known = chosen is None or (isinstance(chosen, list) and all(one in settings_of for one in chosen))
    if not isinstance(num, int) or not 0 < num <= settings.max_runs or not is_known:
        raise NotABundle("its receipt does not say which runs were trained")
    return price(bundle.spec, num), chosen


def _other_environment(theirs: dict[str, Any], device: str) -> list[str]:
    """Prepare this process, and say in what it differs from the receipt."""
    wanted = str(theirs.get("device", device))
    try:
        use_device(wanted)
    except ValueError:
        use_device(device)
    ours = receipt()
    # Receipts of earlier versions have no processor.
    known = [name for name in DECISIVE if theirs.get(name) is not None]
    return [
        f"Another {name}: {visible(str(theirs[name]))} in the receipt, {ours[name]} here."
        for name in known
        if str(theirs[name]) != str(ours[name])
    ]


def _other_classes(bundle: Bundle, kinds: Kinds) -> list[str]:
    """Say in which installed classes this process differs from the receipt.

    Raises:
        NotABundle: A class is not installed, so that nothing can be trained.
    """
    found = []
    theirs = bundle.receipt.get("optimizers")
    for kind in filter(None, offered_kinds(bundle.spec.as_dict()).split(",")):
        if kind not in kinds:
            raise NotABundle(f"its kind {visible(kind)} is an installed class: RAVINE_OPTIMIZERS must name it here")
        ours = kinds[kind].offer.package
        if isinstance(theirs, dict) and theirs.get(kind) != ours:
            found.append(
                f"Another package of {visible(kind)}: {visible(str(theirs.get(kind)))} in the receipt, {ours} here."
            )
    return found


def _conclude(tally: Tally, seconds: float, *, is_elsewhere: bool, is_whole: bool) -> int:
    compared = f"{tally.runs:,} runs, {tally.rows:,} rows, {tally.values:,} values in {seconds:.1f} s"
    if tally.first is None:
        print(f"Same: every value is that of the bundle, bit by bit ({compared}).")
        return SAME
    print(f"Different: {_described(tally.first)}.")
    if is_whole:
        apart = f"the largest relative difference is {tally.largest:.3g}"
        print(f"{tally.different:,} of {tally.values:,} values differ; {apart} ({compared}).")
    return ELSEWHERE if is_elsewhere else DIFFERENT


def _described(found: Difference) -> str:
    at = f"run {found.run}, epoch {found.epoch}"
    if found.field == "row":
        where = "the bundle has no row" if found.stored is None else "this machine has no row"
        return f"{at}: {where}"
    stored, trained = (
        "not measured" if value is None else visible(repr(value)) for value in (found.stored, found.trained)
    )
    return f"{at}, {found.field}: {stored} in the bundle, {trained} here"


class _ProgressLines:
    """Lines about the progress, at most one per second."""

    def __init__(self, total: int) -> None:
        self._total, self._said_at = total, time.monotonic()

    def __call__(self, num: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= _PROGRESS_SECONDS:
            self._said_at = now
            _say(f"{num:,} of {self._total:,} epochs of runs trained and compared")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _fail(reason: str) -> int:
    _say(f"ravine: {visible(reason)}")
    return NO_BUNDLE


if __name__ == "__main__":
    sys.exit(main())
