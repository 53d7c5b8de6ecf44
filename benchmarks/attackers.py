"""One hostile client in a process of its own: ``python -m benchmarks.attackers NAME URL KEY SECONDS``.

Each attacker repeats its attack until the time is over and then ends; the last line of output is its number of attacks.
Attacks on 127.0.0.1 only.
"""

import itertools
import json
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import httpx

MEGABYTE = 1_048_576
# Jobs of a million runs in less than 300 bytes each.
MILLION_RUNS = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": {"from": 1e-6, "to": 0.1, "num": 1_000_000}}],
    "epochs": 1,
}
# A job whose comparison takes long: 20,000 runs.
COMPARED = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": 20}}, {"kind": "momentum", "lr": 0.05}],
    "seeds": {"count": 950},
    "epochs": 5,
}
NUM_COMPARISONS = 60
NUM_LARGE_JOBS = 20
NUM_HALF_OPEN = 1_000
# An answer is kept, so no question is repeated.
_TARGETS = itertools.count(1)
# Hostile connections come from an address of their own.
ADDRESS = "127.0.0.2"


class Attacker:
    """The address of the service, the attacker's key, and the end of the attack."""

    def __init__(self, url: str, key: str, seconds: float) -> None:
        self.url, self.end = url, time.monotonic() + seconds
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self.client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False,
            limits=httpx.Limits(max_connections=None),
        )  # fmt: skip

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.end

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection((self._host, self._port), timeout=20, source_address=(ADDRESS, 0))

    def flood(self, begin: bytes, piece: bytes, size: int) -> None:
        """Send some bytes and then a piece again and again, up to a size or until the service closes the connection."""
        block = piece * (65_536 // len(piece))
        with closing(self.connect()) as connection:
            try:
                connection.sendall(begin)
                for _ in range(size // len(block)):
                    connection.sendall(block)
                connection.recv(65_536)
            except OSError:
                pass  # Refused.


def long_header(attacker: Attacker) -> None:
    """Send a header of 50 MB."""
    attacker.flood(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ", b"x", 50 * MEGABYTE)


def longer_header(attacker: Attacker) -> None:
    """Send a header of 200 MB."""
    attacker.flood(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ", b"x", 200 * MEGABYTE)


def long_url(attacker: Attacker) -> None:
    """Send a URL of 50 MB."""
    attacker.flood(b"GET /v1/jobs?name=", b"x", 50 * MEGABYTE)


def many_headers(attacker: Attacker) -> None:
    """Send a million headers."""
    attacker.flood(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"a: b\r\n", 6_000_000)


def half_open(attacker: Attacker) -> None:
    """Hold a thousand connections with incomplete headers until the service has closed them."""
    opened = []
    try:
        for _ in range(NUM_HALF_OPEN):
            opened.append(attacker.connect())
            opened[-1].sendall(b"GET / HTTP/1.1\r\nHost:")
    except OSError:
        pass  # Refused.
    for connection in opened:
        with closing(connection):
            connection.settimeout(max(0.1, attacker.end - time.monotonic()))
            try:
                connection.recv(65_536)
            except OSError:
                continue


def refused_bodies(attacker: Attacker) -> None:
    """Post four bodies of 1 MB at once whose 340,000 seeds are all invalid."""
    body = json.dumps({**MILLION_RUNS, "seeds": [-1] * 260_000})
    headers = {"Content-Type": "application/json"}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: attacker.client.post("/v1/jobs", content=body, headers=headers), range(4)))


def large_jobs(attacker: Attacker) -> None:
    """Post twenty jobs of a million runs at once, cancel them, and delete them."""
    with ThreadPoolExecutor(NUM_LARGE_JOBS) as pool:
        answers = list(pool.map(lambda _: attacker.client.post("/v1/jobs", json=MILLION_RUNS), range(NUM_LARGE_JOBS)))
        ids = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        list(pool.map(lambda job_id: attacker.client.post(f"/v1/jobs/{job_id}/cancel"), ids))
        list(pool.map(lambda job_id: attacker.client.delete(f"/v1/jobs/{job_id}"), ids))


def comparisons(attacker: Attacker) -> None:
    """Ask for sixty comparisons of the attacker's newest job at once, each with another target.

    Raises:
        HTTPStatusError: The service refuses the question itself, so that it computes nothing.
    """
    job_id = attacker.client.get("/v1/jobs", params={"limit": 1}).json()["items"][0]["id"]
    path = f"/v1/jobs/{job_id}/comparison"
    with ThreadPoolExecutor(NUM_COMPARISONS) as pool:
        targets = (next(_TARGETS) / 1e6 for _ in range(NUM_COMPARISONS))
        for answer in pool.map(lambda target: attacker.client.get(path, params={"target": target}), targets):
            if answer.status_code not in (429, 503):
                answer.raise_for_status()


ATTACKS: dict[str, Callable[[Attacker], None]] = {
    "headers of 50 MB": long_header,
    "headers of 200 MB": longer_header,
    "URLs of 50 MB": long_url,
    "a million headers": many_headers,
    "1,000 half-open connections": half_open,
    "four refused bodies of 1 MB at once": refused_bodies,
    "20 jobs of a million runs at once, cancelled and deleted": large_jobs,
    "60 comparisons at once": comparisons,
}


def main() -> None:
    """Attack until the time is over, and print the number of attacks."""
    _, name, url, key, seconds = sys.argv
    attacker = Attacker(url, key, float(seconds))
    number = 0
    while not attacker.is_over:
        ATTACKS[name](attacker)
        number += 1
    print(number)


if __name__ == "__main__":
    main()
