"""The tests of the engine use one thread, as a worker does, and the processor or the device in RAVINE_DEVICE."""

import pytest

from service.settings import get_settings
from worker.engine.device import use_device


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    use_device(get_settings().device)
