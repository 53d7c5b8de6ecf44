"""`make audit` reports what an index of vulnerabilities knows, and says so where none can be reached."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit.py"
# Stands for pip-audit, whose index is on another host: prints this list for each call.
PROGRAM = """#!{python}
import sys
print({answer!r})
sys.exit({code})
"""
SAFE = {"name": "alembic", "version": "1.20.1", "vulns": []}
VULNERABLE = {"name": "jinja2", "version": "3.1.6", "vulns": [{"id": "CVE-1", "fix_versions": ["3.1.7"]}]}
ABSENT = {"name": "torch", "skip_reason": "not found"}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SAFE], 0, "1 packages checked, 0 known vulnerabilities."),
        ([SAFE, VULNERABLE], 1, "jinja2==3.1.6: CVE-1, fixed in 3.1.7"),
        ([SAFE, ABSENT], 2, "Not in the index, and not checked: torch."),
        ([ABSENT], 2, "No index of vulnerabilities can be reached from here; nothing was checked."),
        (None, 2, "No index of vulnerabilities can be reached from here; nothing was checked."),
    ],
)
def test_the_exit_code_says_whether_something_was_found_or_not_checked(
    packages: list[dict[str, Any]] | None, code: int, words: str, tmp_path: Path
) -> None:
    program = tmp_path / "pip-audit"
    answer = "" if packages is None else json.dumps({"dependencies": packages})
    program.write_text(PROGRAM.format(python=sys.executable, answer=answer, code=int(packages != [SAFE])))
    program.chmod(0o755)
    ended = subprocess.run([sys.executable, SCRIPT, program], capture_output=True, text=True)
    assert ended.returncode == code
    assert words in ended.stdout
