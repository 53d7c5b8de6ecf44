"""The page about events and formats: every snippet works as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.servers import Stack, wait_for_job

PAGE = Path(__file__).parents[2] / "docs" / "events-and-formats.md"
ADDRESS = "http://127.0.0.1:8000"


def snippets(language: str, url: str) -> str:
    """Join the snippets of a language, for a service at this address."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(found) > 1
    return "".join(found).replace(ADDRESS, url)


def test_every_snippet_of_the_page_runs(stack: Stack, client: httpx.Client, tmp_path: Path) -> None:
    script = "set -e\n" + snippets("sh", stack.url) + '\necho "job $JOB"\n'
    shell = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert shell.returncode == 0, shell.stderr
    assert "event: end" in shell.stdout
    assert "run_id,label,seed,index,epoch,loss,grad_norm" in shell.stdout
    job_id = shell.stdout.split()[-1]
    assert wait_for_job(client, job_id)["status"] == "completed"
    assert (tmp_path / f"{job_id}-metrics.parquet").stat().st_size > 10_000
    python = subprocess.run(
        [sys.executable, "-c", snippets("python", stack.url)],
        env={**os.environ, "JOB": job_id},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert python.returncode == 0, python.stderr
    assert "momentum" in python.stdout
