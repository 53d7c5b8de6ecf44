"""Where does the engine compute, and with how many threads?"""

import torch


def use_device(name: str = "cpu") -> torch.device:
    """The device of that name, after making sure that it exists; sets one thread for this process.

    Parallelism comes from workers, each a process of its own: matrices of a stack are small enough that a second thread
    costs more in waiting than it gives, and one thread keeps the order of all arithmetic fixed.
    """
    torch.set_num_threads(1)
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"Device {name!r} was asked for, but torch finds no CUDA device here; use 'cpu'.")
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"Device {name!r} is not supported; use 'cpu' or 'cuda'.")
    return device
