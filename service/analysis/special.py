"""Special functions of SciPy, which is loaded at their first use.

`scipy.special` also loads numpy's packages for tests, masked arrays and Fortran. No start of the API needs it.
"""

from typing import Any


def stdtr(df: Any, t: Any) -> Any:
    """Probability that Student's t with ``df`` degrees of freedom is at most ``t``; elementwise."""
    from scipy.special import stdtr

    return stdtr(df, t)


def stdtrit(df: Any, p: Any) -> Any:
    """Quantile ``p`` of Student's t with ``df`` degrees of freedom; elementwise."""
    from scipy.special import stdtrit

    return stdtrit(df, p)


def betaincinv(a: Any, b: Any, p: Any) -> Any:
    """Quantile ``p`` of the beta distribution with the parameters ``a`` and ``b``; elementwise."""
    from scipy.special import betaincinv

    return betaincinv(a, b, p)


def ndtri(p: Any) -> Any:
    """Quantile ``p`` of the standard normal distribution; elementwise."""
    from scipy.special import ndtri

    return ndtri(p)
