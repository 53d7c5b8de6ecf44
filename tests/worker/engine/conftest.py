"""The engine's tests compute as a worker does: with one thread, on the processor or on what RAVINE_DEVICE names."""

import pytest

from service.settings import get_settings
from worker.engine.device import use_device


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    use_device(get_settings().device)
