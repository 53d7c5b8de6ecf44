"""The cookie of a browser session: HttpOnly and SameSite=Strict, with HTTPS also Secure and with the prefix __Host-.

All ports of a host share cookies. The name contains the port, so that two servers on one machine have sessions of
their own.
"""

from urllib.parse import urlsplit

from fastapi import Request, Response

from service.errors import Forbidden

NAME = "ravine_session"
_HTTPS_PREFIX = "__Host-"
# Only a script of the same origin can send this header: for others the browser first sends a preflight request, which
# the API rejects.
PAGE_HEADER = "Ravine-Page"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def token_of(request: Request) -> str | None:
    """Give the token in the cookie of a request; None if there is none."""
    if "cookie" not in request.headers:
        return None
    name = _name(request)
    secure = request.cookies.get(_HTTPS_PREFIX + name)
    # A page without HTTPS on the same host can set a cookie without the prefix.
    plain = None if request.scope["scheme"] == "https" else request.cookies.get(name)
    return secure or plain or None


def set_token(request: Request, response: Response, token: str, seconds: float) -> None:
    """Let the browser keep a token for some time, in all of its tabs."""
    is_https = _came_by_https(request)
    name = (_HTTPS_PREFIX if is_https else "") + _name(request)
    response.set_cookie(name, token, max_age=int(seconds), path="/", secure=is_https, httponly=True, samesite="strict")


def remove_token(request: Request, response: Response) -> None:
    """Let the browser delete its token."""
    name = _name(request)
    for one in (name, _HTTPS_PREFIX + name):
        if one in request.cookies:
            is_https = one != name
            response.delete_cookie(one, path="/", secure=is_https, httponly=True, samesite="strict")


def require_page(request: Request) -> None:
    """Reject a write that a cookie authorises, unless a script of the page has sent it.

    Browsers add cookies to requests of foreign pages too, if these are on the same site.

    Raises:
        Forbidden: The request may change something, and lacks the header ``Ravine-Page``.
    """
    if request.method not in _READS and PAGE_HEADER not in request.headers:
        raise Forbidden(
            f"the cookie of a browser allows {request.method} to the page only, whose requests have the header "
            f"{PAGE_HEADER}; programs send `Authorization: Bearer <key>`"
        )


def _came_by_https(request: Request) -> bool:
    """Whether the browser used HTTPS: by the connection, by a trusted proxy, or by its own header Origin."""
    return request.scope["scheme"] == "https" or request.headers.get("origin", "").lower().startswith("https://")


def _name(request: Request) -> str:
    try:
        port = urlsplit(f"//{request.headers.get('host', '')}").port
    except ValueError:
        port = None
    return NAME if port is None else f"{NAME}_{port}"
