"""Which headers every answer carries, so that no browser makes more of it than it is."""

from collections.abc import Mapping

# Nothing of an answer runs or loads anything. A page names what it needs in a policy of its own, which is left alone.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": NOTHING,
    # JSON is JSON, even where the name of a job looks like HTML.
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Pages of others may not embed what is answered here.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
