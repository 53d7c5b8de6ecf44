"""Settings of the processes: one immutable object, read from environment variables."""

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

try:
    VERSION = installed("ravine")
except PackageNotFoundError:  # A checkout that was never installed.
    VERSION = "0+unknown"


# A kind and its class: kind=module.of_class:Class.
_PLUGIN = r"[a-z][a-z0-9_]{0,31}=[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*"


class Settings(BaseSettings):
    """Read from the environment: ``RAVINE_DATABASE_URL`` sets ``database_url``, and so on."""

    model_config = SettingsConfigDict(env_prefix="RAVINE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: str = Field(
        f"sqlite:///{Path('data/ravine.db')}",
        description="Database of jobs and histories: sqlite:///file.db or postgresql+psycopg://user@host/name.",
    )
    broker_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Redis or Valkey, for the messages to the workers: redis://host:port/0 or redis+socket:///path.",
    )
    publish_timeout_seconds: float = Field(
        0.4, gt=0, description="Timeout of a request for sending its messages; the sweep sends later what was not sent."
    )
    sweep_seconds: float = Field(1.5, gt=0, description="Interval of the sweep for lost messages and expired leases.")
    lease_seconds: float = Field(
        15.0, gt=0, description="Duration of a lease; if it is not renewed, another worker may claim the shard."
    )
    max_attempts: int = Field(
        3, ge=1, description="A job fails when this many workers in a row were lost on a shard without progress."
    )
    device: str = Field(
        "cpu", description="Device of a worker: cpu, or cuda if available. The receipt of a job names the device."
    )
    compiled: bool = Field(
        True,
        description="Whether a worker trains with compiled programs where it can: with the extra `fast`, on a "
        "processor on which they give the same bits as torch. The receipt of a job has the engine.",
    )
    compiled_folder: str = Field(
        "",
        description="Folder that keeps compiled programs between the starts of workers; it holds machine code, so "
        "nobody else may write to it. By default none is kept. `ravine up` uses its data folder.",
    )
    optimizers: str = Field(
        "",
        pattern=rf"^({_PLUGIN}(\s*,\s*{_PLUGIN})*)?$",
        description="Installed classes that workers offer as kinds of optimizer: lion2=pytorch_optimizer:Lion, and "
        "further ones after commas.",
    )
    flush_seconds: float = Field(0.5, gt=0, description="Interval at which a worker stores the trained epochs.")
    checkpoint_seconds: float = Field(
        2.0, gt=0, description="Interval of checkpoints inside an epoch that takes longer than this."
    )
    look_seconds: float = Field(0.5, gt=0, description="Interval at which a worker checks for a reason to stop.")
    slice_seconds: float = Field(
        2.0,
        gt=0,
        description="Shortest turn of an owner: after this time a batch shard is handed over if an owner with fewer "
        "running shards waits.",
    )
    interactive_seconds: float = Field(
        3.0,
        gt=0,
        description="Processor time after which an interactive shard is handed over to the queue batch if another one "
        "waits.",
    )
    leave_seconds: float = Field(
        2.0, gt=0, description="Time for which a worker that shuts down waits for an unavailable database."
    )
    database_wait_seconds: float = Field(
        60.0, ge=0, description="Time for which a worker keeps a chunk in memory while the database is unavailable."
    )
    worker_memory_mb: int = Field(
        1_500, ge=1, description="Memory limit of a worker process in MB; a larger one is replaced after its shard."
    )
    max_job_seconds: float = Field(
        7 * 86_400, gt=0, description="Longest training time of a job; its spec may set a lower limit."
    )
    ping_seconds: float = Field(
        10.0, gt=0, description="Longest silence of an event stream; then a comment keeps the connection open."
    )
    stalled_seconds: float = Field(
        60.0, gt=0, description="Time after which a connection is closed whose client reads nothing of an answer."
    )
    spool_bytes: int = Field(
        536_870_912,
        ge=0,
        description="Bytes of an API process's temporary files, which hold exports that are read in parts; an export "
        "that does not fit is made again for each part.",
    )
    spool_seconds: float = Field(
        120.0, gt=0, description="Time for which the temporary file of an export is kept after its last use."
    )
    api_key: SecretStr | None = Field(
        None, min_length=32, description="An admin key besides those in the database: openssl rand -hex 32 makes one."
    )
    session_seconds: float = Field(
        30 * 86_400,
        gt=0,
        le=400 * 86_400,
        description="Time for which a browser stays signed in; browsers keep a cookie for at most 400 days.",
    )
    allowed_hosts: str = Field(
        "",
        description="Host names of this server, comma-separated, * for any. By default: on the loopback address the "
        "names of the loopback address; elsewhere any, because a key is required there.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="JSON lines or readable text; auto selects text if standard error is a terminal."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level of Ravine's log lines; DEBUG adds successful reads."
    )
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://",
        description="OpenTelemetry collector for traces over HTTP: http://host:4318; needs the extra `tracing`.",
    )
    max_body_bytes: int = Field(1_048_576, ge=1, description="Largest body of a request, in bytes.")
    max_dataset_bytes: int = Field(67_108_864, ge=1, description="Largest file of a dataset, in bytes.")
    max_datasets: int = Field(1_000, ge=1, description="Largest number of datasets of one key.")
    max_stored_dataset_bytes: int = Field(
        2_147_483_648, ge=1, description="Largest size of all datasets of one key, in bytes of their files."
    )
    max_decodings: int = Field(
        2,
        ge=1,
        description="Largest number of datasets that an API process decodes at once; one key gets half of them. Each "
        "uses one processor and up to decode_memory_mb.",
    )
    decode_memory_mb: int = Field(2_048, ge=256, description="Largest memory for decoding a dataset, in MB.")
    decode_seconds: float = Field(30.0, ge=1, description="Largest processor time for decoding a dataset, in seconds.")
    dataset_folder: str = Field(
        "",
        description="Folder of decoded datasets, which the processes of a host share; by default a folder of the user "
        "in the folder for temporary files. `ravine up` uses its data folder.",
    )
    dataset_disk_bytes: int = Field(
        2_147_483_648, ge=0, description="Bytes of the decoded datasets in that folder; the newest one always stays."
    )
    dataset_memory_bytes: int = Field(
        536_870_912, ge=0, description="Bytes of decoded datasets that a process keeps in memory, shared with others."
    )
    max_url_bytes: int = Field(16_384, ge=1, description="Longest URL of a request, in bytes.")
    max_header_bytes: int = Field(
        65_536, ge=1, description="Largest header block of a request, in bytes, with its first line."
    )
    max_headers: int = Field(100, ge=1, description="Largest number of headers of a request.")
    header_seconds: float = Field(
        10.0, gt=0, description="Time for the headers of a request; a connection that sends none is closed then too."
    )
    body_seconds: float = Field(30.0, gt=0, description="Longest pause between two bytes of a body.")
    max_pipelined: int = Field(
        32, ge=1, description="Largest number of requests of a connection that wait for the answer to an earlier one."
    )
    discard_bytes: int = Field(
        16_777_216,
        ge=0,
        description="Bytes of a rejected request that are read and discarded, so that the client reads the answer.",
    )
    discard_seconds: float = Field(5.0, gt=0, description="Time for which a rejected request is read and discarded.")
    max_connections: int = Field(4_096, ge=1, description="Largest number of open connections of an API process.")
    max_connections_per_address: int = Field(
        1_024,
        ge=1,
        description="Largest number of open connections of one client address; behind a proxy, which has one address, "
        "set it to max_connections.",
    )
    max_computations: int = Field(
        2,
        ge=1,
        description="Largest number of comparisons, plots and findings that an API process computes at once; one key "
        "gets half of them. Each uses one processor and up to 150 MB.",
    )
    max_pieces: int = Field(
        2,
        ge=1,
        description="Largest number of histories, maps and pieces of exports that an API process produces at once; one "
        "key gets half of them.",
    )
    max_streams: int = Field(
        8,
        ge=1,
        description="Largest number of answers that an API process streams at once; one key gets half of them. Each "
        "uses up to 40 MB. Answers of up to 1 MiB are not streamed.",
    )
    max_waiting_per_key: int = Field(
        100, ge=1, description="Largest number of requests of one key that wait for a turn, for each kind of work."
    )
    max_wait_seconds: float = Field(60.0, gt=0, description="Longest time for which a request waits for a turn.")
    max_open_jobs: int = Field(10_000, ge=1, description="Largest number of waiting and running jobs of one key.")
    max_open_work: float = Field(
        1e14, gt=0, description="Largest work of all waiting and running jobs of one key, in the unit of max_work."
    )
    max_open_runs: int = Field(
        5_000_000, ge=1, description="Largest number of runs of all waiting and running jobs of one key."
    )
    max_stored_rows: int = Field(
        500_000_000,
        ge=1,
        description="Largest number of metric rows that the jobs of one key store, ended jobs included; open jobs "
        "count with all rows that they may store.",
    )
    max_stored_bytes: int = Field(
        50_000_000_000,
        ge=1,
        description="Largest size of what the jobs of one key store, in bytes, estimated from the number of values.",
    )
    min_free_bytes: int = Field(
        268_435_456,
        ge=0,
        description="Free bytes on the disk of an SQLite file below which no rows are added: jobs are rejected with "
        "503 and workers wait. The rest is for deleting and cancelling jobs.",
    )
    max_runs: int = Field(1_000_000, ge=1, description="Largest number of runs of one job.")
    max_rows: int = Field(50_000_000, ge=1, description="Largest number of metric rows of one job.")
    max_work: float = Field(1e12, gt=0, description="Largest work of one job: runs × updates × parameters.")


class InvalidSetting(ValueError):
    """An environment variable has a value that its setting does not allow; the message names each."""


@cache
def get_settings() -> Settings:
    """Give the settings of this process, read once.

    Raises:
        InvalidSetting: A value is not allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"RAVINE_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise InvalidSetting(f"invalid setting: {'; '.join(wrong)}") from error
