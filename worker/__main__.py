"""Program of the workers: ``python -m worker interactive:1:interactive batch:2:batch,interactive``.

Each argument is NAME:PROCESSES:QUEUES. `ravine worker` and `ravine up` start it.
"""

import argparse
import os
import sys
import time
from pathlib import Path

GATE_POLL_SECONDS = 0.02


def main() -> int:
    """Run the processes named by the arguments until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    parser.add_argument("workers", nargs="+", metavar="NAME:PROCESSES:QUEUES")
    parser.add_argument("--gate", type=Path, help="no process starts before this file exists")
    parser.add_argument("--alone", action="store_true", help="train in this process; another process restarts it")
    arguments = parser.parse_args()
    # Set before numpy is imported: OpenBLAS would start threads, and a process with threads cannot fork safely.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from worker import host

    workers = host.workers_of(arguments.workers)
    if arguments.alone:
        host.become(workers[0])
    host.load()
    while arguments.gate is not None and not arguments.gate.exists():
        time.sleep(GATE_POLL_SECONDS)
    return host.Host(workers).run()


if __name__ == "__main__":
    sys.exit(main())
