"""How a request reaches the API: address, key, time limits, and which requests are sent again when one gets lost."""

import os
import random
import time
from collections.abc import Iterator, Set
from contextlib import closing
from typing import Any

import httpx

from service.client.errors import NotReachable, error_of

DEFAULT_URL = "http://127.0.0.1:8000"
# Answers of a proxy or of the API that will be others in a moment: a restart, a database that is away.
_PASSING = {502, 503, 504}
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Connection:
    """Requests to one API. A request that may be repeated is, with growing pauses, until ``retries`` are used up.

    Args:
        url: Where the API is; by default RAVINE_URL, else http://127.0.0.1:8000.
        api_key: Sent as ``Authorization: Bearer``; by default RAVINE_API_KEY.
        timeout_seconds: How long one answer may take.
        retries: How often a request is sent again.
        transport: Another way to the API than the network; for tests.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        retries: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = (url or os.environ.get("RAVINE_URL") or DEFAULT_URL).rstrip("/")
        key = api_key if api_key is not None else os.environ.get("RAVINE_API_KEY")
        self._retries = retries
        try:
            self._http = httpx.Client(
                base_url=self.url,
                timeout=httpx.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds)),
                headers={"Authorization": f"Bearer {key}"} if key else {},
                # A proxy of the environment is not asked for an address on this machine, nor for a key of .netrc.
                trust_env=False,
                transport=transport,
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise NotReachable("Not an address", f"{self.url!r} with this key cannot be used: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        accept: Set[int] = frozenset(),
        stream: bool = False,
        **how: Any,
    ) -> httpx.Response:
        """Send a request and give its answer, a success or one whose status is in ``accept``.

        ``repeatable`` tells that a second arrival of the request would change nothing: then one whose answer was lost
        is sent again as well. One that cannot have arrived is always sent again. With ``stream`` the body is left to be
        read, and the answer to be closed.

        Raises:
            NotReachable: Nobody answered.
            RavineError: The API refused, in its own words.
        """
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                answer = self._http.send(self._http.build_request(method, path, **how), stream=stream)
                if not answer.is_success:
                    answer.read()
            except httpx.TransportError as error:
                arrived = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if last or isinstance(error, httpx.UnsupportedProtocol) or (arrived and not repeatable):
                    raise self._not_reachable(error) from error
                pause = 0.0
            except httpx.InvalidURL as error:
                raise self._not_reachable(error) from error
            else:
                if answer.is_success or answer.status_code in accept:
                    return answer
                if last or answer.status_code not in _PASSING or not repeatable:
                    raise error_of(answer)
                pause = _seconds(answer.headers.get("Retry-After"))
            time.sleep(max(pause, _pause(attempt)))
        raise AssertionError("the last attempt returns or raises")

    def pieces(self, path: str, **how: Any) -> Iterator[bytes]:
        """Get something large: it is asked for now, and read piece by piece.

        Raises:
            NotReachable: Nobody answered; or, while it is read, the answer broke off.
            RavineError: The API refused, in its own words.
        """
        answer = self.request("GET", path, repeatable=True, stream=True, **how)

        def read() -> Iterator[bytes]:
            with closing(answer):
                try:
                    yield from answer.iter_bytes()
                except httpx.TransportError as error:
                    raise self._not_reachable(error) from error

        return read()

    def _not_reachable(self, error: Exception) -> NotReachable:
        if isinstance(error, httpx.TimeoutException):
            why = "did not answer in time"
        elif isinstance(error, httpx.ConnectError):
            why = "cannot be reached; is it running? `ravine up` starts one, RAVINE_URL names another"
        else:
            why = f"did not answer as it should: {error}"
        return NotReachable("Not reachable", f"Ravine at {self.url} {why}")


def _pause(attempt: int) -> float:
    """Twice as long each time, and never in step with other clients (Brooker, Exponential Backoff and Jitter, 2015)."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
    return random.uniform(longest / 2, longest)  # noqa: S311  (keeps no secret)


def _seconds(written: str | None) -> float:
    """Read Retry-After; a date, or more than we would wait, counts as our longest pause."""
    if written is None:
        return 0.0
    return min(float(written), _LONGEST_PAUSE_SECONDS) if written.isdecimal() else _LONGEST_PAUSE_SECONDS
