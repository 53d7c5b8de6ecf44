"""The environment of a training: what may change the last bits of a value."""

import platform
from functools import cache
from pathlib import Path
from typing import Any

import torch

from service.settings import VERSION
from worker.engine.device import used_device
from worker.engine.fused.programs import service as compiled

# Parts of a receipt on which the bits of a value depend.
DECISIVE = ("torch", "processor", "device")


def receipt() -> dict[str, Any]:
    """Describe this process: versions, threads, device, processor, and whether compiled programs may train.

    They give the bits of torch, so the engine decides nothing.
    """
    return {
        "torch": torch.__version__,
        "version": VERSION,
        "threads": torch.get_num_threads(),
        "device": str(used_device()),
        "processor": _processor(str(used_device())),
        "engine": "compiled" if compiled().is_available() else "torch",
    }


@cache
def _processor(device: str) -> str:
    """Name the processor, and the widest vectors that torch uses on it."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    return f"{_model() or platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
