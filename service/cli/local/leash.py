"""Starts a part so that it dies with the program that started it, even when that program is killed with -9.

Linux can send a process a signal when its parent ends. The request has to be made inside the child, and code that runs
between fork and exec in a program with threads may deadlock; so a part is started through this file, which makes the
request and then becomes the part. The request outlives exec. "Parent" means the thread that started the child, so the
thread that starts a part has to stay until the part has ended.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1  # From linux/prctl.h.


def leashed(argv: list[str]) -> list[str]:
    """Give the command that runs ``argv`` and dies with this process; elsewhere than on Linux ``argv`` itself."""
    if sys.platform != "linux":
        return argv
    # -I and -S: neither site-packages nor the environment's Python settings are needed here, and skipping them is fast.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv]


def _become(parent: int, argv: list[str]) -> None:
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The program that started this one has ended.")  # It did so before the request above was made.
    try:
        os.execvp(argv[0], argv)  # noqa: S606  The command comes from this package, no shell is wanted.
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
