"""A second host on this machine: a network namespace that reaches the first one by a pair of virtual interfaces."""

import itertools
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

# Of a block for tests between networks (RFC 2544), with four addresses for each pair.
FIRST, SECOND = "198.18.{}.1", "198.18.{}.2"
_numbers = itertools.count(os.getpid())


@dataclass(frozen=True)
class Host:
    """A namespace, and the address at which it finds the first host."""

    namespace: str
    first_address: str

    def command(self, command: list[str]) -> list[str]:
        """A command that runs on this host."""
        return [_ip(), "netns", "exec", self.namespace, *command]

    def run(self, *command: str) -> str:
        """Run a command on this host, and give its output."""
        return subprocess.run(self.command([*command]), check=True, capture_output=True, text=True).stdout


def _ip() -> str:
    return shutil.which("ip") or "/usr/sbin/ip"


def why_not() -> str | None:
    """The reason why this machine can have no second host."""
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    try:
        with host():
            return None
    except FileNotFoundError:
        return "iproute2 is not installed"
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"


@contextmanager
def host() -> Iterator[Host]:
    """A second host, until the end of the block."""
    number = next(_numbers)
    name, here, there = f"ravine-{number}", f"rvh{number}", f"rvt{number}"
    first, second = FIRST.format(number % 256), SECOND.format(number % 256)

    def ip(*arguments: str) -> None:
        subprocess.run([_ip(), *arguments], check=True, capture_output=True, text=True)

    def undo(*arguments: str) -> None:
        with suppress(subprocess.CalledProcessError):
            ip(*arguments)

    with ExitStack() as resources:
        ip("netns", "add", name)
        resources.callback(undo, "netns", "del", name)
        ip("link", "add", here, "type", "veth", "peer", "name", there)
        resources.callback(undo, "link", "del", here)
        ip("link", "set", there, "netns", name)
        ip("addr", "add", f"{first}/30", "dev", here)
        ip("link", "set", here, "up")
        for arguments in (("addr", "add", f"{second}/30", "dev", there), ("link", "set", there, "up")):
            ip("-n", name, *arguments)
        ip("-n", name, "link", "set", "lo", "up")
        yield Host(name, first)


@contextmanager
def forwarded(address: str, connect: Callable[[], socket.socket]) -> Iterator[int]:
    """A port at an address of this machine, each of whose connections is one of ``connect``; gives its number."""
    with closing(socket.create_server((address, 0))) as listener:
        thread = threading.Thread(target=_serve, args=(listener, connect), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        # Wakes the thread up.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listener: socket.socket, connect: Callable[[], socket.socket]) -> None:
    pairs = []
    with suppress(OSError):
        while True:
            one, _ = listener.accept()
            pairs.append(threading.Thread(target=_join, args=(one, connect())))
            pairs[-1].start()
    for pair in pairs:
        pair.join()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what comes from either side until both have ended."""
    with one, other:
        back = threading.Thread(target=_pass_on, args=(other, one))
        back.start()
        _pass_on(one, other)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
