"""The source distribution and the wheel contain all of Ravine, and run in another folder."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "worker", "migrations")
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.egg-info")


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    answer = subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def files_of(folder: Path) -> set[str]:
    return {
        str(file.relative_to(folder))
        for package in PACKAGES
        for file in (folder / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.slow
def test_the_wheel_of_the_source_distribution_runs_in_another_folder(tmp_path: Path) -> None:
    # A build writes into its folder, so it has a copy.
    sources, built, installed, elsewhere = (tmp_path / name for name in ("sources", "built", "installed", "elsewhere"))
    for folder in (sources, built, elsewhere):
        folder.mkdir()
    for package in PACKAGES:
        shutil.copytree(ROOT / package, sources / package, ignore=NOT_SHIPPED)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources / name)

    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run(sys.executable, "-W", "ignore", "-c", build, built, cwd=sources)
    (archive,) = built.glob("ravine-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert files_of(unpacked) == files_of(ROOT)

    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", built, unpacked, cwd=elsewhere)
    (wheel,) = built.glob("ravine-*.whl")
    with ZipFile(wheel) as packed_wheel:
        assert {name for name in packed_wheel.namelist() if ".dist-info/" not in name} == files_of(ROOT)
    run(*pip, "install", "--no-deps", "--no-index", "--target", installed, wheel, cwd=elsewhere)

    env = {"PYTHONPATH": str(installed), "RAVINE_DATABASE_URL": f"sqlite:///{elsewhere / 'ravine.db'}"}
    ravine = installed / "bin" / "ravine"
    assert run(ravine, "--version", cwd=elsewhere, **env).startswith("ravine ")
    assert "up to date" in run(ravine, "migrate", cwd=elsewhere, **env)
    page = "from service.api.page_files import __file__ as file; import service.api.app, worker.runner; print(file)"
    assert run(sys.executable, "-c", page, cwd=elsewhere, **env).startswith(str(installed))
