"""Starts a process that is killed when its parent ends, even if the parent was killed with SIGKILL.

Linux can send a process a signal when its parent ends (PR_SET_PDEATHSIG). The child itself must request this, and code
between fork and exec may deadlock if the parent has threads. The child therefore runs this file, which makes the
request and then replaces itself by the command; exec keeps the request. The parent is the thread that started the
child, so this thread must live until the child has ended.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1  # From linux/prctl.h.


def leashed(argv: list[str]) -> list[str]:
    """Give the command that runs ``argv`` and is killed when this process ends; ``argv`` itself if not on Linux."""
    if sys.platform != "linux":
        return argv
    # -I and -S skip site-packages and Python's environment variables, which are not needed, for a fast start.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv]


def _become(parent: int, argv: list[str]) -> None:
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The parent process has ended.")  # It ended before the request above was made.
    try:
        os.execvp(argv[0], argv)  # noqa: S606  The command comes from this package; no shell is involved.
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
