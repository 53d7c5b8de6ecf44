"""The client without a service: its error, and its imported modules."""

import subprocess
import sys
from typing import get_args

import pytest

from service.cli.commands.history import Format
from service.client import NotReachable, Ravine
from service.client.answers import ENDED, Status
from service.database.states import JOB_ENDED, JobStatus
from service.histories.formats import TABLE_FORMATS
from tests.servers import free_port


def test_an_unreachable_service_is_one_clear_error() -> None:
    with Ravine(f"http://127.0.0.1:{free_port()}", retries=0) as ravine, pytest.raises(NotReachable, match="ravine up"):
        ravine.job("x")
    with pytest.raises(NotReachable, match="not an address"):
        Ravine("ftp://127.0.0.1", retries=0)


def test_the_client_loads_no_torch_no_database_and_no_pandas() -> None:
    heavy = "{'torch', 'sqlalchemy', 'fastapi', 'pandas', 'matplotlib', 'pydantic'} & set(sys.modules)"
    code = f"import sys; from service.client import Ravine; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_the_client_and_its_commands_name_the_statuses_and_formats_of_the_service() -> None:
    assert set(get_args(Status)) == set(JobStatus)
    assert ENDED == JOB_ENDED
    assert {*Format} == {"table", "json", *TABLE_FORMATS}
