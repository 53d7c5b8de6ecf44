"""The command `ravine verify` in this process."""

import sys

import pytest

from worker.verify import main


def verified(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["verify", *arguments])
    return main()
