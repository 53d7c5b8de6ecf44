"""Number of messages that the queued shards need.

A message is not about one shard: it makes a worker claim the shard of its queue whose turn it is. There are enough
messages if each queue has as many as it has queued shards, up to a bound.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.database.tables import SHARD_IS_QUEUED, Shard

# A queue needs at most this many messages, however many shards it has: workers take several of them per second at most,
# and the sweep adds new ones.
MAX_MESSAGES = 256


def num_needed(session: Session, queue: str) -> int:
    """Count the queued shards of a queue, up to the largest number of messages."""
    queued = select(Shard.number).where(SHARD_IS_QUEUED, Shard.queue == queue).limit(MAX_MESSAGES).subquery()
    return session.execute(select(func.count()).select_from(queued)).scalar_one()
