"""Publications of the methods that a job and its comparison use."""

from collections.abc import Iterator
from typing import Any

from service.spec.job import JobSpec
from service.spec.references import Reference

DUNN_1961 = Reference(
    "dunn1961", ("Olive Jean Dunn",), "Multiple Comparisons among Means", 1961,
    journal="Journal of the American Statistical Association", volume="56", pages="52-64",
)  # fmt: skip
SHAFFER_1986 = Reference(
    "shaffer1986", ("Juliet Popper Shaffer",), "Modified Sequentially Rejective Multiple Test Procedures", 1986,
    journal="Journal of the American Statistical Association", volume="81", pages="826-831",
)  # fmt: skip
MOGSTAD_2024 = Reference(
    "mogstad2024", ("Magne Mogstad", "Joseph P. Romano", "Azeem M. Shaikh", "Daniel Wilhelm"),
    "Inference for Ranks with Applications to Mobility across Neighbourhoods and Academic Achievement across Countries",
    2024, journal="The Review of Economic Studies", volume="91", pages="476-518",
)  # fmt: skip
WANG_2025 = Reference(
    "wang2025", ("Hongjian Wang", "Aaditya Ramdas"),
    "Anytime-Valid t-Tests and Confidence Sequences for Gaussian Means with Unknown Variance", 2025,
    journal="Sequential Analysis", volume="44", pages="56-110",
)  # fmt: skip
WAUDBY_SMITH_2024 = Reference(
    "waudbysmith2024", ("Ian Waudby-Smith", "Aaditya Ramdas"),
    "Estimating Means of Bounded Random Variables by Betting", 2024,
    journal="Journal of the Royal Statistical Society Series B", volume="86", pages="1-27",
)  # fmt: skip
SOBOL_1967 = Reference(
    "sobol1967", ("Ilya M. Sobol",),
    "On the Distribution of Points in a Cube and the Approximate Evaluation of Integrals", 1967,
    journal="USSR Computational Mathematics and Mathematical Physics", volume="7", pages="86-112",
)  # fmt: skip
BERGSTRA_2012 = Reference(
    "bergstra2012", ("James Bergstra", "Yoshua Bengio"), "Random Search for Hyper-Parameter Optimization", 2012,
    journal="Journal of Machine Learning Research", volume="13", pages="281-305",
)  # fmt: skip
DODGE_2019 = Reference(
    "dodge2019", ("Jesse Dodge", "Suchin Gururangan", "Dallas Card", "Roy Schwartz", "Noah A. Smith"),
    "Show Your Work: Improved Reporting of Experimental Results", 2019,
    conference="Empirical Methods in Natural Language Processing", pages="2185-2194",
)  # fmt: skip
HUTTER_2014 = Reference(
    "hutter2014", ("Frank Hutter", "Holger Hoos", "Kevin Leyton-Brown"),
    "An Efficient Approach for Assessing Hyperparameter Importance", 2014,
    conference="International Conference on Machine Learning", pages="754-762",
)  # fmt: skip
HANSEN_2021 = Reference(
    "hansen2021", ("Nikolaus Hansen", "Anne Auger", "Raymond Ros", "Olaf Mersmann", "Tea Tusar", "Dimo Brockhoff"),
    "COCO: A Platform for Comparing Continuous Optimizers in a Black-Box Setting", 2021,
    journal="Optimization Methods and Software", volume="36", pages="114-144",
)  # fmt: skip
EFRON_1979 = Reference(
    "efron1979", ("Bradley Efron",), "Bootstrap Methods: Another Look at the Jackknife", 1979,
    journal="The Annals of Statistics", volume="7", pages="1-26",
)  # fmt: skip


def references_of(spec: JobSpec, found: dict[str, Any]) -> tuple[Reference, ...]:
    """List the publications of the optimizers, of the search and of the statistics, each once."""
    return tuple(dict.fromkeys(_all(spec, found)))


def _all(spec: JobSpec, found: dict[str, Any]) -> Iterator[Reference]:
    for entry in spec.optimizers:
        yield from getattr(type(entry).reference, "references", ())
    if any(entry.is_searched for entry in spec.optimizers):
        yield SOBOL_1967 if spec.search.method == "sobol" else BERGSTRA_2012
    if spec.decide is not None and not found["partial"]:
        yield from (WANG_2025, WAUDBY_SMITH_2024, DUNN_1961, EFRON_1979)
    elif has_intervals(found):
        yield from (DUNN_1961, SHAFFER_1986, MOGSTAD_2024, EFRON_1979)
    if found["target"]["loss"] is not None:
        yield HANSEN_2021
    if any(label["tuning"] is not None for label in found["labels"]):
        yield from (DODGE_2019, HUTTER_2014)


def has_intervals(found: dict[str, Any]) -> bool:
    """Whether the comparison has simultaneous intervals."""
    return any(pair["low"] is not None and pair["low"] == pair["low"] for pair in found["pairs"])
