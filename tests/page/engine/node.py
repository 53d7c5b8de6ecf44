"""Scripts of tests under node's own test runner."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run_node(script: str, **environment: str) -> None:
    """Run a script of this folder; its failures fail the test, and without node the test is skipped."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the unit tests of the page's engine")
    # Older versions of node take .js for CommonJS unless they look for `import` in it.
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in version[1:].split(".")[:2]) < (20, 19):
        pytest.skip(f"node {version} reads no ES modules without a package.json; 20.19 or later is needed")
    done = subprocess.run(
        [node, "--test", "--test-reporter=spec", str(HERE / script)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
