"""HTTP connection to the API: address, key, timeouts and retries."""

import os
import random
import time
from collections.abc import Iterator, Set
from contextlib import closing
from typing import Any

import httpx

from service.client.errors import NotAnAddress, NotReachable, error_of

DEFAULT_URL = "http://127.0.0.1:8000"
# Statuses of temporary failures of a proxy or the API, such as a restart or an unavailable database.
_TEMPORARY = {502, 503, 504}
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Connection:
    """Requests to one API. A repeatable request that fails is sent again, with growing pauses, up to ``retries`` times.

    Args:
        url: Address of the API; by default RAVINE_URL, else http://127.0.0.1:8000.
        api_key: Sent as ``Authorization: Bearer``; by default RAVINE_API_KEY.
        timeout_seconds: Timeout of one request.
        retries: Largest number of repetitions of a request.
        transport: Replaces the network, for tests.
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
        check_address(self.url)
        try:
            self._http = httpx.Client(
                base_url=self.url,
                timeout=httpx.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds)),
                headers=_headers(self.url, key),
                # Proxies of the environment must not receive requests to this machine, nor .netrc replace the key.
                trust_env=False,
                transport=transport,
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise NotAnAddress(
                "Not an address",
                f"the address {self.url!r} or the key is not valid: {error}; check RAVINE_URL and RAVINE_API_KEY",
            ) from error

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
        """Send a request and give the answer, if it is a success or its status is in ``accept``.

        A request that cannot have arrived is always sent again. One whose answer was lost is sent again only if it is
        ``repeatable``: a second arrival changes nothing. With ``stream`` the caller reads the body and closes the
        answer.

        Raises:
            NotReachable: The API did not answer.
            RavineError: The API answered with an error.
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
                if last or answer.status_code not in _TEMPORARY or not repeatable:
                    raise error_of(answer)
                pause = _seconds(answer.headers.get("Retry-After"))
            time.sleep(max(pause, _pause(attempt)))
        raise AssertionError("the last attempt returns or raises")

    def pieces(self, path: str, **how: Any) -> Iterator[bytes]:
        """Send a GET request now, and give the body in pieces as it arrives.

        Raises:
            NotReachable: The API did not answer, or the connection was closed before the end.
            RavineError: The API answered with an error.
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
            why = f"closed the connection: {error}"
        return NotReachable("Not reachable", f"Ravine at {self.url} {why}")


def _headers(url: str, key: str | None) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if httpx.URL(url).host in _LOCAL_HOSTS:
        # Compressing takes longer than sending inside a machine.
        headers["Accept-Encoding"] = "identity"
    return headers


def check_address(url: str) -> None:
    """Raise NotAnAddress unless a URL names a server and its protocol."""
    try:
        parsed = httpx.URL(url)
        is_well = parsed.scheme in ("http", "https") and bool(parsed.host)
    except httpx.InvalidURL:
        is_well = False
    if not is_well:
        raise NotAnAddress(
            "Not an address", f"{url!r} is not an address; RAVINE_URL must be like {DEFAULT_URL} or https://host"
        )


def _pause(attempt: int) -> float:
    """Give the pause after an attempt: exponential backoff with jitter (Brooker, 2015)."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
    return random.uniform(longest / 2, longest)  # noqa: S311  (keeps no secret)


def _seconds(written: str | None) -> float:
    """Read Retry-After, at most the longest pause; a date counts as the longest pause."""
    if written is None:
        return 0.0
    return min(float(written), _LONGEST_PAUSE_SECONDS) if written.isdecimal() else _LONGEST_PAUSE_SECONDS
