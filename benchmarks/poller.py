"""Poll job statuses from many clients in one process.

``python -m benchmarks.poller URL CLIENTS SECONDS RATE JOB_ID...``; RATE is the number of requests per second of all
clients together, 0 for as many as they can send.

In place of the id of a job, a path that begins with a slash is polled, without an ETag. A key in the environment
variable RAVINE_API_KEY is sent.

The clients use plain sockets: they share the machine with the server and must take less processor time than it does.
Each client has one connection, and sends its next request, with the last ETag, when it has the answer and the time of
the request has come. The response time counts from that time, so a late answer also delays the requests behind it. The
output is one line of JSON: the number of answers of each status, and percentiles of the response time in milliseconds.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

_ETAG = re.compile(rb"\r\netag: ([^\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Client(asyncio.Protocol):
    """One connection that polls one job."""

    def __init__(
        self, host: str, job_id: str, first: float, interval: float, end: float, seen: Counter[str], times: list[float]
    ) -> None:
        self._is_path = job_id.startswith("/")
        path = job_id if self._is_path else f"/v1/jobs/{job_id}"
        key = os.environ.get("RAVINE_API_KEY")
        authorization = f"Authorization: Bearer {key}\r\n" if key else ""
        self._head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}".encode()
        self._planned, self._interval, self._end, self._seen, self._times = first, interval, end, seen, times
        self._etag, self._received = b"", b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request at its time."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._plan()

    def _plan(self) -> None:
        now = time.perf_counter()
        if self._interval == 0:
            self._planned = now
        if self._planned > now:
            asyncio.get_running_loop().call_later(self._planned - now, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if self.ended.done():
            return
        known = b"If-None-Match: " + self._etag + b"\r\n" if self._etag and not self._is_path else b""
        self._transport.write(self._head + known + b"\r\n")

    def data_received(self, data: bytes) -> None:
        """Count a complete answer, and send the next request."""
        self._received += data
        end_of_head = self._received.find(b"\r\n\r\n")
        if end_of_head < 0:
            return
        length = _LENGTH.search(self._received, 0, end_of_head + 2)
        if len(self._received) < end_of_head + 4 + (int(length[1]) if length else 0):
            return
        now = time.perf_counter()
        self._times.append(now - self._planned)
        self._seen[self._received[9:12].decode()] += 1
        etag = _ETAG.search(self._received, 0, end_of_head + 2)
        self._etag, self._received = etag[1] if etag else b"", b""
        self._planned += self._interval
        if max(now, self._planned) < self._end:
            self._plan()
        else:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that the server closed."""
        if not self.ended.done():
            self._seen["broken"] += 1
            self._finish()

    def _finish(self) -> None:
        self.ended.set_result(None)
        self._transport.close()


async def poll(url: str, num_clients: int, seconds: float, rate: float, job_ids: list[str]) -> dict[str, Any]:
    """Run the clients, which take the jobs in turn, and give the figures."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    seen, times = Counter[str](), list[float]()
    begin = time.perf_counter()
    end = begin + seconds
    interval = num_clients / rate if rate else 0.0
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for number in range(num_clients):
        job_id = job_ids[number % len(job_ids)]
        first = begin + interval * number / num_clients
        client = Client(address.netloc, job_id, first, interval, end, seen, times)
        clients.append(client)
        await loop.create_connection(lambda client=client: client, host, port)  # type: ignore[misc]
    await asyncio.gather(*(client.ended for client in clients))
    times.sort()
    quantiles = {name: 1_000 * times[int(share * (len(times) - 1))] for name, share in
                 {"p50": 0.5, "p99": 0.99, "max": 1.0}.items()}  # fmt: skip
    return {"answers": dict(seen), "per_second": len(times) / seconds, **quantiles}


if __name__ == "__main__":
    _, url, num_clients, seconds, rate, *job_ids = sys.argv
    print(json.dumps(asyncio.run(poll(url, int(num_clients), float(seconds), float(rate), job_ids))))
