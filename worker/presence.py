"""Presence of a worker process that offers kinds from installed classes: its row, renewed while it lives."""

import logging
import threading
from collections.abc import Mapping
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from service.database.connection import Database
from service.database.ids import new_job_id
from service.jobs import offers
from service.spec.offers import Offer

log = logging.getLogger("ravine.presence")


class Presence:
    """Context manager whose thread renews the row of this process. Without kinds it does nothing."""

    def __init__(self, database: Database, kinds: Mapping[str, Offer]) -> None:
        self._database, self._kinds, self._id = database, kinds, new_job_id()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def __enter__(self) -> Self:
        """Store the row, and renew it from then on."""
        if self._kinds:
            self._renew()
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the row."""
        if not self._kinds:
            return
        self._ended.set()
        self._thread.join()
        try:
            with self._database.transaction() as session:
                offers.withdraw(session, self._id)
        except SQLAlchemyError as error:
            log.warning("the kinds of this worker expire, because its row could not be removed: %s", error)

    def _run(self) -> None:
        while not self._ended.wait(offers.RENEWAL_SECONDS):
            self._renew()

    def _renew(self) -> None:
        try:
            with self._database.transaction() as session:
                offers.renew(session, self._id, self._kinds)
        except SQLAlchemyError as error:
            log.warning("the kinds of this worker could not be stored, trying again: %s", error)
