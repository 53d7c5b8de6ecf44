"""What can be configured, and by which environment variable: one frozen object, a sentence a field."""

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

try:
    VERSION = installed("ravine")
except PackageNotFoundError:  # A checkout that was never installed.
    VERSION = "0+unknown"


class Settings(BaseSettings):
    """Read from the environment: ``RAVINE_DATABASE_URL`` sets ``database_url``, and so on."""

    model_config = SettingsConfigDict(env_prefix="RAVINE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: str = Field(
        f"sqlite:///{Path('data/ravine.db')}",
        description="Where jobs and histories are kept: sqlite:///file.db or postgresql+psycopg://user@host/name.",
    )
    broker_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis or Valkey, for the messages that wake the workers: redis://host:port/0 or redis+socket:///path.",
    )
    publish_timeout_seconds: float = Field(
        0.4,
        gt=0,
        description="How long a request waits for the broker; the sweep sends later what could not be sent now.",
    )
    sweep_seconds: float = Field(1.5, gt=0, description="How often forgotten and abandoned shards are looked for.")
    lease_seconds: float = Field(
        15.0, gt=0, description="How long a worker may stay silent before its shard is given to another one."
    )
    max_attempts: int = Field(3, ge=1, description="How often a shard may lose its worker before its job fails.")
    device: str = Field(
        "cpu",
        description="What a worker trains on: cpu, or cuda where there is one. A job's receipt says which it was.",
    )
    flush_seconds: float = Field(0.5, gt=0, description="How often a worker stores the epochs that it trained.")
    checkpoint_seconds: float = Field(
        2.0, gt=0, description="How long a worker trains without a checkpoint where an epoch takes longer than this."
    )
    look_seconds: float = Field(0.5, gt=0, description="How often a worker looks whether it should stop.")
    leave_seconds: float = Field(
        2.0, gt=0, description="How long a worker that was told to end waits for a database that is away."
    )
    database_wait_seconds: float = Field(
        60.0, ge=0, description="How long a worker keeps what it trained while the database cannot be reached."
    )
    worker_memory_mb: int = Field(
        1_500, ge=1, description="A process that has trained a shard and is larger than this is replaced by a new one."
    )
    max_job_seconds: float = Field(
        7 * 86_400, gt=0, description="How long a job may train from its start; its spec may ask for less."
    )
    ping_seconds: float = Field(
        10.0,
        gt=0,
        description="How long a stream of events is silent before it sends a comment, so that none gives it up.",
    )
    stalled_seconds: float = Field(
        60.0,
        gt=0,
        description="How long a reader of events may take nothing of what waits for it before it is cut off.",
    )
    api_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="An admin key besides those of the database, for a first start: openssl rand -hex 32 makes one.",
    )
    allowed_hosts: str = Field(
        "",
        description="Names this server is called by, comma-separated, * for any; by default only this machine's on the "
        "loopback address, and any elsewhere, where a key is needed anyway.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="JSON lines, or words for a person; auto takes words where standard error is a terminal."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least serious lines of Ravine's own that are logged; DEBUG adds reads that went well."
    )
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://",
        description="OpenTelemetry collector that gets traces over HTTP: http://host:4318; needs the extra tracing.",
    )
    max_body_bytes: int = Field(1_048_576, ge=1, description="Bytes that the body of one request may have.")
    max_open_jobs: int = Field(10_000, ge=1, description="Jobs of one key that may wait and run at the same time.")
    max_open_work: float = Field(
        1e14, gt=0, description="Work of all waiting and running jobs of one key, in the unit of max_work."
    )
    max_runs: int = Field(1_000_000, ge=1, description="Runs that one job may have.")
    max_rows: int = Field(50_000_000, ge=1, description="Metric rows that one job may store.")
    max_work: float = Field(
        1e12, gt=0, description="Parameter updates that one job may make: runs × updates × parameters."
    )


@cache
def get_settings() -> Settings:
    """Give the settings of this process, read once."""
    return Settings()
