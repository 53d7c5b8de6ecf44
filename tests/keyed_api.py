"""An API that requires keys, with access to its database."""

from uuid import uuid4

import httpx

from service.database.connection import Database
from service.jobs import owners
from tests.servers import Api

SETTING = "the key of the setting, of more than 32 characters"


class KeyedApi:
    """An API with an empty database and no workers, and the keys of this database."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.database = Database(api.database_url)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def new_key(self, name: str = "", *, is_admin: bool = False) -> str:
        """Create a key and give it."""
        with self.database.transaction() as session:
            return owners.create(session, name or str(uuid4()), is_admin=is_admin)[1]

    def revoke(self, name: str) -> None:
        """Revoke a key."""
        with self.database.transaction() as session:
            owners.revoke(session, name)

    def client(self, key: str | None = None) -> httpx.Client:
        """A client that sends a key, or none."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.api.url, timeout=30.0, trust_env=False, headers=headers)
