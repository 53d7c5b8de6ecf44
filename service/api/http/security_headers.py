"""Security headers of every answer, for browsers."""

from collections.abc import Mapping

# No content may run or load anything. Pages set a policy of their own, which is kept.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": NOTHING,
    # Browsers must not read JSON as HTML, for example if the name of a job contains tags.
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Pages of other origins may not embed answers.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Answers depend on the caller, also on one that a cookie identifies: proxies must not keep them for others.
    "Cache-Control": "private, no-cache",
}
