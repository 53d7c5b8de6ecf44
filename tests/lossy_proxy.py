"""A proxy before the API that injects faults: lost or interrupted answers, 503, and answers of another server."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

LOSE, BUSY, HTML = "the answer is lost", "503 before it arrives", "an answer of another server"
HALF, FINE = "the answer breaks off in the middle", "nothing is lost"


class LossyProxy:
    """Forwards requests, each with the next of ``faults``."""

    def __init__(self, target: str) -> None:
        self.faults: deque[str] = deque()
        self.seen: list[tuple[str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def _pass_on(self) -> None:
                proxy.seen.append((self.command, self.path))
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = proxy.faults.popleft() if proxy.faults else None
                if fault == BUSY:
                    self._answer(503, b"busy", {"Retry-After": "0"})
                    return
                if fault == HTML:
                    self._answer(500, b"<html>", {"Content-Type": "text/html"})
                    return
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = httpx.request(
                    self.command, target + self.path, content=body, headers=headers, trust_env=False, timeout=30.0
                )
                if fault == LOSE:
                    self.close_connection = True
                    return
                self.close_connection = is_half = fault == HALF
                kept = {"Content-Type", "ETag", "Location"}
                self._answer(
                    answer.status_code,
                    answer.content,
                    {k: answer.headers[k] for k in kept if k in answer.headers},
                    len(answer.content) // 2 if is_half else None,
                )

            def _answer(
                self, status: int, content: bytes, headers: dict[str, str], num_sent: int | None = None
            ) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:num_sent])

            do_GET = do_POST = do_DELETE = _pass_on

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def lossy_proxy(target: str) -> Iterator[LossyProxy]:
    """Run a proxy before an API."""
    proxy = LossyProxy(target)
    thread = threading.Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()
