"""What the tests share: one PostgreSQL, one Valkey, and Ravine itself running on both databases."""

import gc
import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url
from xdist.scheduler import LoadScopeScheduling

from service.database.connection import Database
from service.database.migrations import migrate
from tests.postgres import Postgres
from tests.servers import Broker, Stack, copy_sqlite
from tests.thorough import DATABASES, is_left_out

# Folders whose tests share what is expensive to start; elsewhere it is each file.
TOGETHER = ("tests/chaos", "tests/page")
# The lanes that take longest, by their CPU time. They come first, so that no process is left alone with one at the end.
LONGEST = (
    *TOGETHER,
    "tests/docs/test_guides.py",
    "tests/api/test_load_clients.py",
    "tests/findings/test_lessons.py",
    "tests/fuzz/test_api.py",
    "tests/worker/test_workers.py",
    "tests/worker/engine/test_independence.py",
    "tests/worker/engine/test_optimizers.py",
    "tests/api/test_jobs.py",
    "tests/jobs/test_states_walk.py",
    "tests/cli/test_local.py",
    "tests/test_package.py",
    "tests/findings/test_plots.py",
    "tests/findings/test_plots_of_labels.py",
    "tests/findings/test_plots_of_awkward_jobs.py",
    "tests/worker/test_turns.py",
)


def lane(file: str) -> str:
    """What runs in one process from its first test to its last: some folders, and every other file."""
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


class Lanes(LoadScopeScheduling):
    """Gives each process of `pytest -n 3` whole lanes.

    The marks of pytest-xdist would do the same, and pytest 9.2 ignores them (pytest-xdist 3.8).
    """

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    """Share the tests between processes by lane."""
    return Lanes(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Let all workers of a session share what they compile; the processes of xdist inherit the variable."""
    if "RAVINE_COMPILED_FOLDER" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="ravine-compiled-")
        os.environ["RAVINE_COMPILED_FOLDER"] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection(session: pytest.Session) -> None:
    """Collect no garbage while the tests are imported; there is hardly any."""
    gc.disable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `make test` does not run, and put the longest lanes first."""
    numbers = Counter[str]()
    left_out = set()
    for item in items:
        function = item.nodeid.partition("[")[0]
        if is_left_out(item, numbers[function]):
            left_out.add(item)
        numbers[function] += 1
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]

    def place(item: pytest.Item) -> int:
        name = lane(item.path.relative_to(config.rootpath).as_posix())
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave imported modules and collected tests out of later garbage collections, which would visit all of them."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for the whole session."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server(postgres: Postgres) -> Callable[[], str]:
    """A function that makes an empty PostgreSQL database and gives its URL."""
    return postgres.create_database


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Valkey server for the whole session."""
    server = Broker(tmp_path_factory.mktemp("broker"))
    yield server
    server.stop()


@pytest.fixture
def broker_url(broker: Broker) -> str:
    """A broker that nobody else uses."""
    return broker.new_url()


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A function that makes a migrated database of a kind and gives its URL: a copy of one that was migrated once."""
    folder, numbers = tmp_path_factory.mktemp("databases"), itertools.count(1)
    templates: dict[str, str] = {}

    def make(kind: str) -> str:
        if kind not in templates:
            server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
            templates[kind] = server() if server else f"sqlite:///{folder / 'template.db'}"
            migrate(templates[kind])
        if kind == "sqlite":
            return copy_sqlite(folder / "template.db", folder / f"test_{next(numbers)}.db")
        postgres: Postgres = request.getfixturevalue("postgres")
        return postgres.create_database(template=make_url(templates[kind]).database or "")

    return make


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder for what programs put into TMPDIR; its path leaves room for a socket's, as pytest's may not."""
    with tempfile.TemporaryDirectory(prefix="ravine-test-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    """A migrated database with nothing in it, once of each kind."""
    return new_database(request.param)


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Database]]:
    """A function that opens the database at a URL until the test ends."""
    with ExitStack() as resources:
        yield lambda url: resources.enter_context(closing(Database(url)))


@pytest.fixture
def database(database_url: str, open_database: Callable[[str], Database]) -> Database:
    """An empty migrated database, once of each kind."""
    return open_database(database_url)


@pytest.fixture(scope="module")
def shared_database(new_database: Callable[[str], str]) -> Iterator[Database]:
    """An SQLite database that all tests of a file share."""
    with closing(Database(new_database("sqlite"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def stacks(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Stack]]:
    """A function that gives the stack on a kind of database; both run until the end once they have been asked for."""
    running: dict[str, Stack] = {}
    with ExitStack() as resources:

        def on(kind: str) -> Stack:
            if kind not in running:
                folder = tmp_path_factory.mktemp(f"stack-{kind}")
                running[kind] = resources.enter_context(Stack(new_database(kind), broker.new_url(), folder))
            return running[kind]

        yield on


@pytest.fixture(scope="session", params=DATABASES)
def stack(request: pytest.FixtureRequest, stacks: Callable[[str], Stack]) -> Stack:
    """API and workers that all tests share, once on each kind of database. Tests leave their jobs behind."""
    return stacks(request.param)


@pytest.fixture
def stack_database(stack: Stack, open_database: Callable[[str], Database]) -> Database:
    """The database of the shared stack, where the tests of other files have left their jobs."""
    return open_database(stack.database_url)


@pytest.fixture
def client(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the shared stack."""
    with stack.client() as client:
        yield client
