"""A shard whose kinds are installed classes is claimed by a worker that has them, and other workers pass it over."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from service.database.connection import Database
from service.database.offers import OfferingWorker
from service.database.statements import seconds_from_now
from service.database.tables import Job, Shard
from service.jobs import lifecycle, messages, offers, receipts, shards, turns
from service.jobs.claims import claim_next
from service.jobs.dispatch import Dispatcher, Sweep
from service.jobs.shards import Claim
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.offers import HyperParameter, Offer
from service.spec.price import price
from tests.queued import count
from tests.servers import Broker

BETA = HyperParameter(name="beta1", type="number", default=0.9, ge=0, lt=1)


def offer(kind: str) -> Offer:
    return Offer(
        kind=kind, class_name="package.Class", package="package 1.0", elementwise=True, state_per_parameter=1,
        hyper_parameters=(BETA,),
    )  # fmt: skip


OFFERS = {kind: offer(kind) for kind in ("foo", "lion2")}
HERE = {"lion2": OFFERS["lion2"]}


def post(database: Database, *kinds: str, owner: str = "", num_shards: int = 1, queue: str = "batch") -> int:
    """Store a job with these kinds and with shards of 16 runs."""
    rates = {"from": 0.01, "to": 0.1, "num": 16 * num_shards // len(kinds)}
    given = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": kind, "lr": rates} for kind in kinds], "epochs": 2}
    spec = JobSpec.model_validate(given, context={"offers": OFFERS})
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, replace(price(spec), shard_runs=16), owner=owner)
        session.execute(update(Shard).where(Shard.job_key == job.key).values(queue=queue))
    return job.key


def claim(database: Database, here: Mapping[str, Offer] = {}) -> Claim | None:
    with database.transaction() as session:
        return claim_next(session, "batch", lease_seconds=60, receipt={"torch": "2"}, offers=here)


def test_a_worker_without_the_kind_leaves_the_shard_and_claims_those_behind_it(database: Database) -> None:
    special = post(database, "lion2", owner="ana", num_shards=2)
    behind, others = post(database, "sgd", owner="ana"), post(database, "sgd", owner="ben")
    found = [claim(database) for _ in range(3)]
    assert [held.job_key if held else None for held in found] == [behind, others, None]
    with database.snapshot() as session:
        waiting = session.execute(select(Shard.kinds, Shard.attempt).where(Shard.job_key == special)).all()
        assert {tuple(row) for row in waiting} == {("lion2", 0)}
    held = claim(database, HERE)
    assert held is not None
    assert (held.job_key, held.number, held.kinds) == (special, 0, "lion2")


def test_a_worker_with_the_kind_serves_owners_and_jobs_in_their_order(database: Database) -> None:
    plain = post(database, "sgd", owner="ana")
    special = post(database, "lion2", "sgd", owner="ana")
    bens, needs_more = post(database, "lion2", owner="ben"), post(database, "foo", "lion2", owner="ben")
    found = [claim(database, HERE) for _ in range(4)]
    assert [held.job_key if held else None for held in found] == [plain, bens, special, None]
    held = claim(database, OFFERS)
    assert held is not None
    assert held.job_key == needs_more


def test_the_receipt_names_the_package_of_the_class(database: Database) -> None:
    special, plain = post(database, "lion2"), post(database, "sgd")
    for _ in range(2):
        claim(database, OFFERS)
    with database.snapshot() as session:
        job = session.get_one(Job, special)
        assert receipts.shown(job) == {"torch": "2", "optimizers": {"lion2": "package 1.0"}}
        assert receipts.classes_of(job)["lion2"]["class"] == "package.Class"
        assert session.get_one(Job, plain).receipt == {"torch": "2"}


def test_a_shard_that_a_worker_cannot_train_ends_no_turn_of_it(database: Database) -> None:
    post(database, "sgd", owner="ana")
    assert claim(database) is not None
    post(database, "lion2", owner="ben")
    with database.snapshot() as session:
        assert not turns.is_over(session, "batch", "ana")
        assert not turns.anybody_waits(session, "batch")
        assert turns.is_over(session, "batch", "ana", HERE)
        assert turns.anybody_waits(session, "batch", HERE)
        assert not turns.anybody_waits(session, "batch", {"foo": OFFERS["foo"]})


def test_the_search_for_a_shard_with_kinds_uses_the_index(database: Database) -> None:
    post(database, "lion2", owner="ana", num_shards=5_000)
    keys = [post(database, "sgd", owner=owner) for owner in ("ana", "ben")]
    explain = "EXPLAIN QUERY PLAN " if database.file else "EXPLAIN "
    with database.engine.connect() as connection:
        if not database.file:
            connection.execute(text("ANALYZE shards"))
        for statement, values in (
            (turns._NEXT, {"in_queue": "batch", "of_kinds": "lion2"}),
            (turns._SETS, {"in_queue": "batch"}),
        ):
            compiled = statement.compile(database.engine, compile_kwargs={"render_postcompile": True})
            given = compiled.construct_params(values)
            ordered = tuple(given[name] for name in compiled.positiontup) if compiled.positiontup else given
            plan = [" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + str(compiled), ordered)]
            steps = [step for step in plan if "shards" in step]
            assert steps
            assert all("ix_shards_queued" in step or "ix_shards_running" in step for step in steps), plan
    with database.snapshot() as session:
        assert [key for key, _ in turns.next_shards(session, "batch")] == keys


@pytest.mark.slow(after=1)
def test_the_sweep_sends_messages_where_workers_with_the_kinds_listen(database: Database, broker: Broker) -> None:
    settings = Settings(broker_url=broker.new_url())
    dispatcher = Dispatcher(settings)
    sweep = Sweep(database, dispatcher, settings)
    special = messages.channel_of("batch", "lion2")
    post(database, "sgd")
    post(database, "lion2", num_shards=2)
    post(database, "foo", "lion2")
    sweep.once()
    # No worker has the kinds: a message would make workers search in vain.
    assert [dispatcher.depth(channel) for channel in ("batch", special)] == [1, 0]
    with database.transaction() as session:
        offers.renew(session, "one", {"lion2": OFFERS["lion2"]})
    for _ in range(2):
        sweep.once()
    assert [dispatcher.depth(channel) for channel in ("batch", special)] == [1, 2]
    with database.transaction() as session:
        offers.renew(session, "two", OFFERS)
    sweep.once()
    assert [dispatcher.depth(channel) for channel in ("batch", special, "batch.foo")] == [1, 2, 1]
    assert messages.queue_of(special) == "batch"
    dispatcher.close()


def test_an_offer_lasts_as_long_as_a_worker_renews_it(database: Database) -> None:
    with database.transaction() as session:
        offers.renew(session, "one", {"lion2": OFFERS["lion2"]})
        offers.renew(session, "two", OFFERS)
        offers.renew(session, "two", OFFERS)
    with database.snapshot() as session:
        assert offers.live(session) == OFFERS
        assert offers.sets(session) == [{"lion2"}, {"foo", "lion2"}]
    with database.transaction() as session:
        offers.withdraw(session, "one")
        late = seconds_from_now(-offers.LOST_SECONDS - 1)
        session.execute(update(OfferingWorker).values(seen_at=late))
    with database.snapshot() as session:
        assert offers.live(session) == {}
    with database.transaction() as session:
        offers.remove_lost(session)
    assert count(database, OfferingWorker) == 0


def test_a_shard_handed_over_gets_its_message_where_its_workers_listen(database: Database) -> None:
    post(database, "lion2")
    held = claim(database, HERE)
    assert held is not None
    with database.transaction() as session:
        shards.give_back(session, held)
    assert messages.channel_of("batch", held.kinds) == "batch.lion2"
    assert claim(database) is None
    assert claim(database, HERE) is not None
