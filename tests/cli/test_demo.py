"""`ravine demo` compares four optimizers in seconds and deletes its folder."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demo_compares_four_optimizers_and_leaves_nothing_behind(tmp_path: Path, temporary: Path) -> None:
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("ravine")), "demo", "--workers", "1"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "2400 of 2400 epochs" in answer.stdout
    assert re.search(r"http://127\.0\.0\.1:\d+/v1/jobs/\S+/metrics", answer.stdout)
    # The sentence comes from the comparison of the service: it names the number of seeds.
    (verdict,) = re.findall(r"^.*20 seeds\).*$", answer.stdout, re.MULTILINE)
    assert verdict.endswith(".")
    row = r"^ +(SGD|Momentum|Nesterov|Adam) +\d(?:–\d)? +(\d\.\d+) "
    medians = dict(re.findall(row, answer.stdout, re.MULTILINE))
    assert set(medians) == {"SGD", "Momentum", "Nesterov", "Adam"}
    assert all(0 < float(median) < 1 for median in medians.values())
    assert list(temporary.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
