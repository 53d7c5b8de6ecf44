"""What `make test` leaves to `make thorough`: the second database where the dialect cannot matter, more examples.

`pytest.mark.databases(kind)` names the one database of tests that run on both under `make thorough`: tests of what the
service does with rows after they are read. The two dialects themselves are tested on both in every run (tests/database,
tests/jobs, tests/histories), and the marks are spread over both databases. `pytest.mark.thorough` marks tests and
parameters that run only there.
"""

import os

import pytest

THOROUGH = "RAVINE_THOROUGH" in os.environ
DATABASES = ("sqlite", "postgresql")


def examples(few: int, many: int) -> int:
    """How many examples a property is tested with: few of them in `make test`, many in `make thorough`."""
    return many if THOROUGH else few


def is_left_out(item: pytest.Item) -> bool:
    """Whether only `make thorough` runs this test."""
    if THOROUGH:
        return False
    if item.get_closest_marker("thorough"):
        return True
    mark, call = item.get_closest_marker("databases"), getattr(item, "callspec", None)
    kinds = [value for value in call.params.values() if value in DATABASES] if call else []
    return mark is not None and any(kind not in mark.args for kind in kinds)
