"""The error of a file that cannot be read as a dataset, with its place in the file."""

from service.errors import Rejected


def unreadable(sentence: str, line: int | None = None, column: int | None = None) -> Rejected:
    """Make the error of a file; ``line`` and ``column`` count from 1."""
    loc: list[str | int] = ["body"]
    places = []
    for name, place in (("line", line), ("column", column)):
        if place is not None:
            loc.append(place)
            places.append(f"{name} {place:,}")
    detail = f"{', '.join(places)}: {sentence}" if places else sentence
    return Rejected(detail, [{"loc": loc, "msg": detail}])
