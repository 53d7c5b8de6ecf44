"""Train a job of each kind of problem in the images: python -m tests.production

`make images` builds them. buildah runs the services of docker-compose.yml in the images with chroot isolation: the file
system and the user are those of the image, the network and the processes those of this machine. PostgreSQL and Valkey
run outside of images.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from service.settings import VERSION
from service.spec.problems import PROBLEM_KINDS
from tests.postgres import Postgres
from tests.production.composed import OURS, SERVICES, Composed
from tests.servers import wait_for_job

# The shortest spec of each kind of problem.
PROBLEMS: dict[str, dict[str, Any]] = {
    "flipnet": {},
    "surface": {"name": "ravine"},
    "quadratic": {"eigenvalues": [1, 100], "start": [1, 1]},
    "digits": {"hidden": 8, "train_size": 160},
    "playground": {},
}
FIND_TORCH = "from importlib.util import find_spec; print('installed' if find_spec('torch') else 'absent')"
TRAIN_SECONDS = 300.0
os.environ.setdefault("STORAGE_DRIVER", "vfs")


class InImages(Composed):
    """The services in containers of their images."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        super().__init__(postgres, folder)
        self._socket_dir = postgres.socket_dir
        # The user of the images may open the socket. The server checks the mode of this folder at its start only.
        Path(self._socket_dir).chmod(0o711)
        self.containers = {
            name: buildah("from", f"localhost/{service['image'].partition(':')[0]}:{VERSION}")
            for name, service in OURS.items()
        }

    def argv(self, name: str) -> Sequence[str]:
        """The command of a service in its container."""
        return self.inside(name, *self.arguments(name))

    def inside(self, name: str, *words: str) -> list[str]:
        """A command in the container of a service, as its user and with its environment."""
        given = [f"--env={key}={value}" for key, value in self.environment(name).items()]
        mount = f"--volume={self._socket_dir}:{self._socket_dir}"
        return ["buildah", "run", "--isolation=chroot", mount, *given, self.containers[name], "--", *words]

    def close(self) -> None:
        """Stop the services, and remove the containers."""
        self.supervisor.stop()
        for container in self.containers.values():
            buildah("rm", container)


def main() -> None:
    """Train all jobs, and print a line for each; raise an error if one does not complete."""
    assert set(PROBLEMS) == set(PROBLEM_KINDS)
    postgres = Postgres()
    with tempfile.TemporaryDirectory(prefix="ravine-images-") as folder:
        services = InImages(postgres, Path(folder))
        try:
            services.start_all()
            _check(services)
            _train(services)
        finally:
            services.close()
            postgres.stop()


def _check(services: InImages) -> None:
    """Check the user, the packages and the health check of the worker."""
    for name in ("api", "worker"):
        user = _output(services.inside(name, "id", "-un"))
        torch = _output(services.inside(name, "python", "-c", FIND_TORCH))
        print(f"{SERVICES[name]['image']}: user {user}, torch {torch}")
        assert (user, torch) == ("ravine", "absent" if name == "api" else "installed")
    print(_output(services.inside("worker", "ravine", "doctor")))


def _train(services: InImages) -> None:
    headers = {"Authorization": f"Bearer {services.secrets['RAVINE_API_KEY']}"}
    with httpx.Client(base_url=services.url, headers=headers, timeout=60.0, trust_env=False) as client:
        for kind, problem in PROBLEMS.items():
            spec = {"problem": {"kind": kind, **problem}, "optimizers": [{"kind": "sgd", "lr": 0.01}], "epochs": 3}
            job = client.post("/v1/jobs", json=spec).raise_for_status().json()
            ended = wait_for_job(client, job["id"], timeout=TRAIN_SECONDS)
            print(f"{kind}: {ended['status']}", flush=True)
            assert ended["status"] == "completed", ended


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.strip()


def buildah(*arguments: str) -> str:
    """Run buildah, and give its output."""
    return _output(("buildah", *arguments))


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("`make images` needs root: buildah mounts and changes owners of files")
    main()
