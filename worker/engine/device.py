"""Where does the engine compute, with how many threads, and how does the process keep its memory?"""

import ctypes

import torch

# Parameters of mallopt(3) in glibc.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 128 * 2**20
_LARGEST_KEPT_BYTES = 32 * 2**20


_used = torch.device("cpu")


def used_device() -> torch.device:
    """The device that plans of this process train on unless they name another one."""
    return _used


def use_device(name: str = "cpu") -> torch.device:
    """Makes a device that of this process, after making sure that it exists. Call it once: it also sets the process up.

    One thread: parallelism comes from workers, each a process of its own, and matrices of a stack are so small that a
    second thread costs more in waiting than it gives.
    """
    global _used
    torch.set_num_threads(1)
    _keep_freed_memory()
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"Device {name!r} is unknown; use 'cpu', 'cuda', or one of several as 'cuda:1'.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"Device {name!r} was asked for, but torch finds no CUDA device here; use 'cpu'.")
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"Device {name!r} is not supported; use 'cpu' or 'cuda'.")
    _used = device
    return device


def _keep_freed_memory() -> None:
    """Lets the allocator keep up to 128 MB that was freed, instead of giving it back to the system at once.

    Training makes and frees matrices of a megabyte all the time. With glibc's defaults the same pages go back and
    forth, and are zeroed each time: an evaluation of 1,024 FlipNets took 1.1 ms in place of 0.3 ms.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # Another C library: slower at worst.
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
