"""nginx with deploy/nginx.conf, on ports and with a certificate of the tests."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from service.cli.local.console import Console
from service.cli.local.supervisor import Supervisor
from tests.servers import START_SECONDS, accepts, free_port

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx.conf"
HOST = "ravine.example.org"
PROGRAMS = ("nginx", "openssl")
MAIN = """{user}daemon off; pid {folder}/nginx.pid; error_log stderr warn; worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/ravine.conf;
}}
"""


def find_missing() -> str:
    """Name the programs that are not installed; empty if there are none."""
    # Debian installs nginx where only root looks.
    return " and ".join(one for one in PROGRAMS if _path_of(one) is None)


def _path_of(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")


class Nginx:
    """One nginx in front of the APIs on these ports, with or without TLS."""

    def __init__(self, ports: Sequence[int], folder: Path, *, has_tls: bool = True) -> None:
        self.port, self._plain_port = free_port(), free_port()
        self.url = f"{'https' if has_tls else 'http'}://127.0.0.1:{self.port}"
        self.certificate = folder / "ravine.crt"
        self._folder, self._has_tls = folder, has_tls
        self._supervisor = Supervisor(folder, Console())
        (folder / "ravine.conf").write_text(self._configuration(ports))
        user = "user root; " if os.geteuid() == 0 else ""
        (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user))

    def _configuration(self, ports: Sequence[int]) -> str:
        """The file of the product, with other addresses, ports and certificate."""
        text = CONFIGURATION.read_text(encoding="utf-8")
        server = re.findall(r"^ +server 127\.0\.0\.1:800\d (.*)$", text, re.MULTILINE)
        assert len(server) == 2
        servers = "".join(f"    server 127.0.0.1:{port} {server[0]}\n" for port in ports)
        text = re.sub(r"(^ +server 127\.0\.0\.1:800\d .*\n)+", servers, text, flags=re.MULTILINE)
        for old, new in (
            (r"^ +listen \[::\]:.*\n", ""),
            (r"listen 80;", f"listen 127.0.0.1:{self._plain_port};"),
            (r"listen 443 ssl http2;", f"listen 127.0.0.1:{self.port}{' ssl http2' if self._has_tls else ''};"),
            (r"/etc/nginx/ravine\.example\.org\.(crt|key)", rf"{self._folder}/ravine.\1"),
            *(() if self._has_tls else ((r"^ +ssl_\w+ .*\n", ""),)),
        ):
            text, number = re.subn(old, new, text, flags=re.MULTILINE)
            assert number, old
        return text

    def __enter__(self) -> Self:
        if self._has_tls:
            self._make_certificate()
        self._supervisor.run("nginx", [_path_of("nginx") or "nginx", "-c", str(self._folder / "main.conf")])
        self._supervisor.wait_until(lambda: accepts(self.port), "nginx", START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop()

    def _make_certificate(self) -> None:
        names = f"subjectAltName=DNS:{HOST},IP:127.0.0.1"
        options = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={HOST}".split()
        files = ("-addext", names, "-keyout", str(self.certificate.with_suffix(".key")), "-out", str(self.certificate))
        subprocess.run([_path_of("openssl") or "openssl", *options, *files], capture_output=True, check=True)

    def client(self, key: str) -> httpx.Client:
        """A client of this address with a key."""
        headers = {"Host": HOST, "Authorization": f"Bearer {key}"}
        verify = ssl.create_default_context(cafile=str(self.certificate)) if self._has_tls else False
        return httpx.Client(base_url=self.url, headers=headers, verify=verify, timeout=30.0, trust_env=False)
