"""Which tests run: in `make test` those of a few minutes, in `make test-all` all, in `make thorough` more examples too.

`pytest.mark.slow` marks what `make test` leaves to `make test-all`, which CI runs: tests that take more than a second
of processor time. `slow(after=3)` marks all cases of a test but the first three. Some slow tests are not marked for
the sake of what they guard: at least one of each view, of each part of the API, and of lost workers.

`pytest.mark.databases(kind)` names the one database of tests that run on both under `make thorough`: tests of what the
service does with rows after they are read. The two dialects themselves are tested on both by `make test-all`
(tests/database, tests/jobs, tests/histories), and the marks are spread over both databases. `pytest.mark.thorough`
marks tests and parameters that run only there.
"""

import os

import pytest

THOROUGH = "RAVINE_THOROUGH" in os.environ
QUICK = "RAVINE_QUICK" in os.environ
DATABASES = ("sqlite", "postgresql")


def examples(few: int, many: int) -> int:
    """How many examples a property is tested with: few of them in `make test`, many in `make thorough`."""
    return many if THOROUGH else few


def is_left_out(item: pytest.Item, number: int) -> bool:
    """Whether this test, case `number` of its function, is left to `make test-all` or `make thorough`."""
    if THOROUGH:
        return False
    slow = item.get_closest_marker("slow")
    if QUICK and slow is not None and number >= slow.kwargs.get("after", 0):
        return True
    if item.get_closest_marker("thorough"):
        return True
    mark, call = item.get_closest_marker("databases"), getattr(item, "callspec", None)
    kinds = [value for value in call.params.values() if value in DATABASES] if call else []
    return mark is not None and any(kind not in mark.args for kind in kinds)
