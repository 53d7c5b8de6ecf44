"""The kinds of work of an API process, each with its turns."""

from enum import Enum

from service.api.turns.shared_answers import SharedAnswers
from service.api.turns.streams import Streams
from service.api.turns.turns import Turns
from service.settings import Settings

# Lists and single objects. They leave threads for authentication and statuses, of 40 in all.
READS_AT_ONCE = 16
# SQLite has one writer at a time, and PostgreSQL serves the writes of a key one after another.
WRITES_AT_ONCE = 4
# New jobs with small bodies, which one transaction stores together.
CREATIONS_AT_ONCE = 16


class Kind(Enum):
    """Kinds of work for which a whole request takes a turn."""

    READ = "reads"
    WRITE = "writes"
    CREATE = "new jobs"
    PIECE = "histories and maps"
    DECODE = "datasets"


class Work:
    """The turns of one application.

    Attributes:
        answers: Comparisons, plots and findings, which take seconds.
        streams: Histories and exports, in pieces.
    """

    def __init__(self, settings: Settings) -> None:
        def turns(kind: str, at_once: int) -> Turns:
            return Turns(
                kind,
                at_once=at_once,
                max_waiting=settings.max_waiting_per_key,
                wait_seconds=settings.max_wait_seconds,
            )

        at_once = {
            Kind.READ: READS_AT_ONCE,
            Kind.WRITE: WRITES_AT_ONCE,
            Kind.CREATE: CREATIONS_AT_ONCE,
            Kind.PIECE: settings.max_pieces,
            Kind.DECODE: settings.max_decodings,
        }
        self._turns = {kind: turns(kind.value, num) for kind, num in at_once.items()}
        self.answers = SharedAnswers(turns("comparisons and plots", settings.max_computations))
        self.streams = Streams(turns("streams", settings.max_streams), self._turns[Kind.PIECE])

    def turns(self, kind: Kind) -> Turns:
        """Give the turns of a kind."""
        return self._turns[kind]
