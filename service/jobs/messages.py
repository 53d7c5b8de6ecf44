"""Channels of messages, and the number of messages that the queued shards need.

A message is not about one shard: it makes a worker claim the shard of its queue whose turn it is. There are enough
messages if each channel has as many as it has queued shards, up to a bound. The channel of a queue has its name. Shards
that need installed classes have a channel of their own, to which the workers listen that offer the first of these
kinds; no other worker takes their messages away.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.database.tables import SHARD_IS_QUEUED, Shard
from service.jobs import offers, turns

# A channel needs at most this many messages, however many shards it has: workers take several of them per second at
# most, and the sweep adds new ones.
MAX_MESSAGES = 256


def channel_of(queue: str, kinds: str = "") -> str:
    """Name the channel of shards in a queue that need a set of kinds, as their column has it."""
    return f"{queue}.{kinds.partition(',')[0]}" if kinds else queue


def queue_of(channel: str) -> str:
    """Name the queue of a channel."""
    return channel.partition(".")[0]


def needed(session: Session, queue: str) -> dict[str, int]:
    """Count the queued shards of a queue by channel, up to the largest number of messages.

    Shards that no live worker can train need no message.
    """
    found = {channel_of(queue): num_needed(session, queue)}
    if waiting := turns.waiting_kinds(session, queue):
        workers = offers.sets(session)
        for kinds in waiting:
            if any(set(kinds.split(",")) <= offered for offered in workers):
                channel = channel_of(queue, kinds)
                found[channel] = min(found.get(channel, 0) + num_needed(session, queue, kinds), MAX_MESSAGES)
    return found


def num_needed(session: Session, queue: str, kinds: str = "") -> int:
    """Count the queued shards of a queue that need a set of kinds, up to the largest number of messages."""
    chosen = SHARD_IS_QUEUED, Shard.queue == queue, Shard.kinds == kinds
    queued = select(Shard.number).where(*chosen).limit(MAX_MESSAGES).subquery()
    return session.execute(select(func.count()).select_from(queued)).scalar_one()
