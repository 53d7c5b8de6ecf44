"""Prepares the process as a worker does."""

import pytest

from worker.engine.device import use_device


@pytest.fixture(scope="session", autouse=True)
def prepared() -> None:
    """One thread, as in a worker."""
    use_device("cpu")
