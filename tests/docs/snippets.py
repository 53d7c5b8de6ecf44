"""Run the code blocks of a page, one after another, against a running stack."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from service.client import Ravine
from tests.docs.console_lines import complaints, missing
from tests.docs.fences import EXCEPTIONS, ROOT, Fence
from tests.servers import Stack

ADDRESS = "http://127.0.0.1:8000"
# An error status of curl fails the block. head reads to the end, so that it interrupts no transfer. Variables are kept
# for the next block.
PROLOGUE = """set -euo pipefail; set -o allexport
curl() { command curl $STRICT "$@"; }
head() { command head "$@"; cat > /dev/null; }
trap 'env -0 > "$STATE"' EXIT
"""


class Reader:
    """A folder and a shell in which the blocks of a page are run."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.said = ""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("RAVINE_")}
        self.env = {
            **mine,
            # The commands of this environment come first on the path.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{mine['PATH']}",
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "RAVINE_URL": stack.url,
            "RAVINE_BROKER_URL": stack.broker_url,
            "RAVINE_DATABASE_URL": stack.database_url,
        }

    def follow(self, fence: Fence) -> None:
        """Run a block, or fail with its place."""
        if (fence.page, fence.kind) in EXCEPTIONS or fence.kind == "text":
            return
        text = fence.text.replace(ADDRESS, self.stack.url)
        match fence.kind:
            case "sh" | "bash":
                self._run(fence, text)
            case "python":
                exec(compile(text, fence.place, "exec"), self.names)
            case "json":
                self._ask(fence, text)
            case "yaml":
                assert missing(fence.text) == [], fence.place
            case "console":
                assert complaints(fence.text) == [], fence.place
            case _:
                raise AssertionError(f"{fence.place}: a block of kind {fence.kind!r}")

    def _run(self, fence: Fence, text: str) -> None:
        made, others = re.findall(r"^make .*$", text, re.MULTILINE), re.sub(r"(?m)^make .*$", "", text)
        assert complaints("\n".join(made)) == [], fence.place
        if not others.strip():
            return
        # A block whose request is rejected on purpose is followed by the error.
        strict = "" if '"detail"' in fence.answer else "--fail --show-error"
        state = self.folder.parent / f"{self.folder.name}.env"
        answer = subprocess.run(
            ["bash", "-c", PROLOGUE + others],
            cwd=self.folder,
            env={**self.env, "STRICT": strict, "STATE": str(state)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert answer.returncode == 0, f"{fence.place}\n{answer.stdout}{answer.stderr}"
        assert "Traceback" not in answer.stderr, f"{fence.place}\n{answer.stderr}"
        self.said += answer.stdout
        self.env.update(dict(one.split("=", 1) for one in state.read_text().split("\0") if one))

    def _ask(self, fence: Fence, text: str) -> None:
        """Post a job as a dry run; other JSON is an answer or log lines and is only parsed."""
        try:
            body = json.loads(text)
        except json.JSONDecodeError:
            assert all(isinstance(json.loads(line), dict) for line in text.splitlines()), fence.place
            return
        if "preset" in body or {"problem", "optimizers"} <= body.keys():
            answer = httpx.post(
                f"{self.stack.url}/v1/jobs", params={"dry_run": True}, json=body, trust_env=False, timeout=30
            )
            assert answer.status_code == 200, f"{fence.place}: {answer.text}"

    def leave(self) -> None:
        """Close the clients that the snippets opened."""
        for one in self.names.values():
            if isinstance(one, httpx.Client | Ravine):
                one.close()
