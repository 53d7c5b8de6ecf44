"""The tables of API keys, and of what belongs to a key: sessions, usage, removals, turns and datasets."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base, Key


class ApiKey(Base):
    """A permission to use the API. The row of a revoked key stays, because jobs name it as their owner."""

    __tablename__ = "api_keys"

    # The first digits of the hash: the row is found by them, and the whole hash is compared.
    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    is_admin: Mapped[bool]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class BrowserSession(Base):
    """A browser that is signed in with a key. Its cookie holds a random token, of which only the hash is stored."""

    __tablename__ = "sessions"
    # The sessions of a key, oldest first, and the expired ones.
    __table_args__ = (Index(None, "owner", "expires_at"), Index(None, "expires_at"))

    # The first digits of the hash, as for keys.
    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    # The id of a key. That of the setting ``api_key`` has no row in ``api_keys``.
    owner: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Usage(Base):
    """Stored rows and bytes of an owner: the sum over slots, which let several workers write at the same time."""

    __tablename__ = "usage"

    owner: Mapped[str] = mapped_column(String(12), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    num_rows: Mapped[int] = mapped_column(BigInteger)
    num_bytes: Mapped[int] = mapped_column(BigInteger)


class Removal(Base):
    """A deleted job, whose row in ``jobs`` is gone and whose other rows are removed in chunks."""

    __tablename__ = "removals"

    job_key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(String(12))
    # What usage still counts.
    num_rows: Mapped[int] = mapped_column(BigInteger)
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    # The table that is being cleared, and the first place in it that may still have rows.
    part: Mapped[int] = mapped_column(default=0)
    next_run: Mapped[int] = mapped_column(default=0)
    next_place: Mapped[int] = mapped_column(default=0)


class Turn(Base):
    """When an owner was last served in a queue: one of its shards was claimed or handed over."""

    __tablename__ = "turns"

    queue: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(12), primary_key=True)
    served_at: Mapped[datetime]


class Dataset(Base):
    """An uploaded table or set of arrays. Its content is in ``DatasetChunk``."""

    __tablename__ = "datasets"
    __table_args__ = (
        # The same content of the same owner is stored once.
        UniqueConstraint("owner", "digest"),
        Index("ix_datasets_expiring", "expires_at", sqlite_where=text("expires_at IS NOT NULL"),
              postgresql_where=text("expires_at IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    key: Mapped[int] = mapped_column(Key, primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    owner: Mapped[str] = mapped_column(String(12), default="")
    name: Mapped[str]
    media_type: Mapped[str]
    # SHA-256 of the content, as hexadecimal digits.
    digest: Mapped[str] = mapped_column(String(64))
    num_rows: Mapped[int] = mapped_column(BigInteger)
    num_bytes: Mapped[int] = mapped_column(BigInteger)
    # Name, kind and summary of each column, and the shape of arrays.
    columns: Mapped[dict[str, Any]] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class DatasetChunk(Base):
    """A piece of the content of a dataset, compressed, in order of its number (service/database/datasets/chunks.py)."""

    __tablename__ = "dataset_chunks"

    dataset_key: Mapped[int] = mapped_column(ForeignKey("datasets.key", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
