"""The engine's tests compute as a worker does: on the processor, with one thread."""

import pytest

from worker.engine.device import use_device


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    use_device("cpu")
