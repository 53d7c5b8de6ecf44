"""Exit codes of processes in words."""

import signal


def how_it_ended(code: int) -> str:
    """Describe the exit code of a process; a negative one is the number of the signal that ended it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
