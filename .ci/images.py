"""Build both images of the Dockerfile without a container engine: python3 .ci/images.py [BASE_IMAGE]

buildah runs the instructions with chroot isolation, as root. If no registry with the base image of the Dockerfile can
be reached, the base is made of Debian's packages: the same release of Debian, and Python 3.11. pip's configuration of
this machine is used during the build and stays out of the images. TORCH_SHA256 in the environment is the hash that
torch's file must have.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("api", "worker")
MADE_BASE = "localhost/ravine-base:bookworm"
# Programs of Debian's packages of the same names.
NEEDED = ("buildah", "mmdebstrap")
# The official image has `python` and `pip` in /usr/local/bin, and no rule against installing there.
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# No container engine configures storage or namespaces.
os.environ.setdefault("STORAGE_DRIVER", "vfs")
os.environ.setdefault("BUILDAH_ISOLATION", "chroot")


def main(arguments):
    if missing := [program for program in NEEDED if shutil.which(program) is None]:
        sys.exit(f"`make images` needs {' and '.join(missing)}: apt install {' '.join(missing)}")
    base = arguments[0] if arguments else find_base()
    print(f"Building on {base}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ravine-images-") as folder:
        torch = os.environ.get("TORCH_SHA256", "")
        options = (*pip_options(Path(folder)), f"--build-arg=BASE_IMAGE={base}", f"--build-arg=TORCH_SHA256={torch}")
        for target in TARGETS:
            image = f"localhost/ravine-{target}:{version()}"
            # The format of Docker has health checks.
            command = ("build", "--quiet", "--layers=false", "--format=docker", "--target", target, "--tag", image)
            buildah(*command, *options, str(ROOT))
            print(f"Built {image}", flush=True)


def find_base():
    """Give the base image of the Dockerfile, or of Debian's packages if it cannot be pulled."""
    official = re.search(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]
    pulled = subprocess.run(("buildah", "pull", "--quiet", official), capture_output=True, text=True)
    if pulled.returncode == 0:
        return official
    print(f"{official} cannot be pulled: {pulled.stderr.strip().splitlines()[-1]}", flush=True)
    if subprocess.run(("buildah", "inspect", "--type", "image", MADE_BASE), capture_output=True).returncode != 0:
        make_base()
    return MADE_BASE


def make_base():
    """Make a base image of Debian's packages."""
    print("Making a base image of Debian's packages; this takes a minute or two", flush=True)
    with tempfile.TemporaryDirectory(prefix="ravine-base-") as folder:
        archive = Path(folder) / "base.tar"
        packages = "--include=ca-certificates,python3,python3-venv"
        run("mmdebstrap", "--quiet", "--variant=minbase", packages, "bookworm", str(archive))
        container = buildah("from", "scratch")
        try:
            buildah("add", "--quiet", container, str(archive), "/")
            buildah("config", "--env", f"PATH={PATH}", container)
            buildah("run", container, "--", "python3", "-m", "venv", "/usr/local")
            buildah("commit", "--quiet", container, MADE_BASE)
        finally:
            buildah("rm", container)


def pip_options(folder):
    """Give buildah's options for pip's configuration of this machine: a secret, and the files that it names."""
    listed = run(sys.executable, "-m", "pip", "config", "list")
    # Environment variables are listed as :env:.name and override files, so they come last.
    found = sorted(re.findall(r"^(\S+?)\.(\S+)='(.*)'$", listed, re.MULTILINE), key=lambda one: one[0] == ":env:")
    # An index on this disk has links to other folders, which the container does not have.
    settings = {name: value for _, name, value in found if name != "constraint" and "file://" not in value}
    config = folder / "pip.conf"
    config.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    places = sorted({word for value in settings.values() for word in value.split() if word.startswith("/")})
    mounts = (f"--volume={place}:{place}:ro" for place in places if Path(place).exists())
    return (f"--secret=id=pip,src={config}", *mounts)


def version():
    return re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]


def buildah(*arguments):
    return run("buildah", *arguments)


def run(*command):
    """Run a program to its end and give its output; its errors and progress are shown."""
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed with {ended.returncode}:\n{ended.stdout}")
    return ended.stdout.strip()


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("`make images` needs root: buildah mounts and changes owners of files")
    main(sys.argv[1:])
