"""Install an extra of pyproject.toml into .venv: python3 .ci/environment.py local|test

Called by the Makefile. Concurrent calls wait for each other. After an interrupted installation .venv is created anew,
because pip treats a partly written package as complete. The script runs on the system's Python before anything is
installed. Its syntax must be valid for old versions of Python, so that it can report that they are too old.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INTERRUPTED = VENV / ".installing"  # Exists while pip runs, and after an interruption.
SOURCES = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
OLDEST = (3, 11)


def main(extra):
    if sys.version_info < OLDEST:
        sys.exit(
            f"Ravine needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {sys.version.split()[0]}. "
            "To use another one: make PYTHON=python3.13 …"
        )
    with SOURCES[0].open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(extra)


def install(extra):
    stamp = VENV / f".has-{extra}"
    if is_newer(stamp) and works():
        return  # Another call installed it while this one waited for the lock.
    if INTERRUPTED.exists() or not works():
        # If .venv itself is active, sys.executable is in the folder that is deleted here.
        python = getattr(sys, "_base_executable", sys.executable)
        shutil.rmtree(VENV, ignore_errors=True)
        print(f"Creating .venv with {python}", flush=True)
        run(python, "-m", "venv", str(VENV), hint="On Debian and Ubuntu: apt install python3-venv")
    print(f"Installing Ravine's extra '{extra}' into .venv; the first time this takes a minute or two", flush=True)
    INTERRUPTED.touch()
    # Torch first and alone, so that the exact version is installed before a package with a looser requirement, which on
    # some platforms selects gigabytes of CUDA packages.
    install_torch()
    pip("--editable", f".[{extra}]")
    INTERRUPTED.unlink()
    stamp.touch()


def install_torch():
    """Install the build of torch for the CPU if an index has it, else the build that pip selects.

    On Linux for x86 that one contains CUDA, unless the CPU build is installed: without a GPU it is 4 GB too large.
    """
    if needs_cpu_build():
        pinned = next(line.strip() for line in SOURCES[1].open() if line.startswith("torch=="))
        command = pip_command(f"{pinned}+cpu")
        if subprocess.call(command, cwd=str(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            return
        print(
            f"The package index has no {pinned}+cpu. The build that follows may contain CUDA and take 5 GB; "
            "to add an index with CPU builds, set PIP_EXTRA_INDEX_URL and repeat the command",
            flush=True,
        )
    pip("torch")


def needs_cpu_build():
    """Whether pip would select CUDA here, and no GPU uses it."""
    return sys.platform == "linux" and platform.machine() == "x86_64" and shutil.which("nvidia-smi") is None


def pip(*what):
    run(*pip_command(*what), hint="The message above is pip's.")


def pip_command(*what):
    options = ("--quiet", "--disable-pip-version-check", "--constraint", "constraints.txt")
    return [str(PYTHON), "-m", "pip", "install", *options, *what]


def run(*command, hint):
    if subprocess.call(command, cwd=str(ROOT)) != 0:
        if INTERRUPTED.exists():
            # pip itself reported an error and removed the incomplete package; those installed before are complete.
            INTERRUPTED.unlink()
        sys.exit(f"`{' '.join(command)}` failed. {hint}")


def works():
    """Whether .venv has a new enough Python and pip, and was created for this folder."""
    code = f"import sys, pip; print(sys.prefix); sys.exit(sys.version_info < {OLDEST})"
    try:
        answer = subprocess.run(
            [str(PYTHON), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return Path(answer.stdout.decode().strip()).resolve() == VENV.resolve()


def is_newer(stamp):
    return stamp.exists() and all(stamp.stat().st_mtime >= source.stat().st_mtime for source in SOURCES)


if __name__ == "__main__":
    # pip must change .venv only, also if another environment is active.
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"):
        os.environ.pop(name, None)
    main(sys.argv[1])
