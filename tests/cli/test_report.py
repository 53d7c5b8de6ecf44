"""`ravine report`, `bundle` and `verify`: formats by suffix, outputs, and exit codes."""

import zipfile
from pathlib import Path

import pytest

from service.histories.bundle import MEMBERS
from tests.cli.invoke import SPEC, Command

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.mark.slow
def test_the_suffix_of_the_file_chooses_the_format(ravine: Command, job_id: str) -> None:
    for name, begin in (("a.html", "<!doctype html>"), ("a.md", "# For the commands"), ("a.TEX", "\\documentclass")):
        done = ravine("report", job_id, "-o", name)
        assert (done.exit_code, done.stdout) == (0, f"Wrote {name}.\n")
        assert Path(name).read_text().startswith(begin)
    done = ravine("report", job_id, "-o", "a.pdf")
    assert done.exit_code == 2
    assert "must end with .html, .md or .tex, or add --format" in done.output
    assert ravine("report", job_id, "-o", "a.pdf", "--format", "tex").exit_code == 0
    assert not Path("a.html.part").exists()


def test_a_report_goes_to_the_output_with_the_name_of_the_job(ravine: Command, job_id: str) -> None:
    assert ravine("report", job_id, "-o", "-").stdout.startswith("<!doctype html>")
    written = ravine("report", job_id, "--format", "md", "-o", "-").stdout
    assert written.startswith(f"# {SPEC['name']}\n")
    assert f"ravine bundle {job_id} -o bundle.zip" in written


@pytest.mark.slow
def test_a_bundle_is_saved_and_verified(ravine: Command, job_id: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert ravine("bundle", job_id, "-o", "bundle.zip").stdout == "Wrote bundle.zip.\n"
    assert tuple(zipfile.ZipFile("bundle.zip").namelist()) == MEMBERS
    assert ravine("bundle", job_id, "-o", "-").stdout_bytes == Path("bundle.zip").read_bytes()
    assert ravine("verify", "bundle.zip").exit_code == 0
    assert capfd.readouterr().out.startswith("Same: ")
    assert ravine("verify", "spec.json").exit_code == 2
    assert "spec.json is no bundle" in capfd.readouterr().err


def test_jobs_that_are_not_there_or_have_not_ended_are_refused(ravine: Command) -> None:
    for command in ("report", "bundle"):
        done = ravine(command, "nothing", "-o", "file.html")
        assert (done.exit_code, "there is no job" in done.output) == (2, True)
        assert not Path("file.html").exists()
    long = '{"problem": {"kind": "flipnet"}, "epochs": 1000000, "record_every": 10000, "optimizers": ["sgd"]}'
    running = ravine("submit", "-", input=long).stdout.strip()
    done = ravine("bundle", running, "-o", "bundle.zip")
    assert (done.exit_code, "has not ended" in done.output) == (2, True)
    assert ravine("cancel", running).exit_code == 0
