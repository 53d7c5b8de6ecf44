"""An application for uploads of datasets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from service.api.app import create_app
from service.settings import Settings

NO_BROKER = "redis://127.0.0.1:1/0"
HOUSES = b"area,city\n120.5,Aachen\n80,\n,Bonn\n"
CSV = {"Content-Type": "text/csv"}


@asynccontextmanager
async def api(url: str, folder: Path, key: str = "", **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An application whose sweep and upkeep do nothing for an hour."""
    given = {"sweep_seconds": 3_600, "dataset_folder": str(folder), **settings}
    app = create_app(Settings(database_url=url, broker_url=NO_BROKER, **given))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    here = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=here, base_url="http://127.0.0.1", headers=headers, timeout=60.0) as client,
    ):
        yield client
