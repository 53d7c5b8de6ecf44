"""The start of the API loads no package that its first answers do not need."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from service.api.app import create_app
create_app()
print(sorted({"scipy", "matplotlib", "pyarrow", "torch", "pandas"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_packages_of_later_answers_are_loaded_at_their_first_use() -> None:
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=180, check=True)
    assert answer.stdout.strip() == "[]"
