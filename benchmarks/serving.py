"""CRL fetches a second: `pkigen serve` and the servers that could take its place, one process each."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from benchmarks import certomancer_fleet
from benchmarks.contenders import CERTOMANCER, PKIGEN
from benchmarks.measure import ROOT, Contender, Cost, run

CLIENT = "wrk"
NGINX = "nginx"

# So many entries make a CRL of one and a half kilobytes.
_REVOKED = tuple(f"sensor-{number:02}" for number in range(1, 27))
CONNECTIONS = 32
FEW_CONNECTIONS = 4
"""For a server that signs each response: a busy machine completes none of 32 parallel requests in a turn."""
_SECONDS = 4
_SECONDS_TO_START = 30
_RATE = re.compile(r"^Requests/sec:\s*([0-9.]+)$", re.MULTILINE)
_ERRORS = re.compile(r"^\s*(?:Non-2xx|Socket errors).*$", re.MULTILINE)

_PROFILE = f"""\
name: fleet
base_url: http://127.0.0.1:8080
defaults:
  key: ec-p256
authorities:
  root:
    subject: {{CN: Contoso Test Root CA}}
certificates:
  "sensor-{{01..{len(_REVOKED):02}}}":
    issuer: root
    subject: {{CN: "{{{{ name }}}}.contoso.test"}}
    revoked: {{reason: keyCompromise}}
"""

_NGINX = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  types {{ application/pkix-crl crl; }}
  server {{ listen 127.0.0.1:{port}; root {www}; }}
}}
"""


def environment(folder: Path) -> Path:
    """A built environment with a CRL of one and a half kilobytes."""
    profile = folder / "fleet.yaml"
    profile.write_text(_PROFILE, encoding="utf-8")
    run((*PKIGEN, "build", str(profile), "--out", str(folder / "out")), ROOT)
    return folder / "out" / "fleet"


@contextmanager
def ours(built: Path) -> Iterator[str]:
    """`pkigen serve` as a user runs it, its log written to a file. Gives the URL of the CRL."""
    port = free_port()
    command = (*PKIGEN, "serve", str(built), "--port", str(port))
    with running(command, built.parent, f"http://127.0.0.1:{port}/crl/root.crl") as url:
        yield url


@contextmanager
def nginx(built: Path, folder: Path) -> Iterator[str]:
    """nginx over the same files, with one worker and no log."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(directory=folder, www=built / "www", port=port), encoding="utf-8")
    if os.geteuid() == 0:
        # Started as root it serves as somebody else, who must be able to reach the files.
        config.write_text(f"user root;\n{config.read_text(encoding='utf-8')}", encoding="utf-8")
    command = (NGINX, "-e", str(folder / "error.log"), "-c", str(config))
    with running(command, folder, f"http://127.0.0.1:{port}/crl/root.crl") as url:
        yield url


@contextmanager
def certomancer(_built: Path, folder: Path) -> Iterator[str]:
    """certomancer's own web service, with a CRL of as many entries, which it signs for each request."""
    keys = folder / "keys"
    keys.mkdir()
    make_key = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    run((*make_key, "-out", str(keys / "root.pem")), folder)
    for name in ("issuing", *_REVOKED):
        shutil.copy(keys / "root.pem", keys / f"{name}.pem")
    config = json.loads(certomancer_fleet.config(_REVOKED))
    certificates = config["pki-architectures"]["fleet"]["certs"]
    for name in _REVOKED:
        revoked = {"revoked-since": "2026-01-02T00:00:00+0000", "reason": "key_compromise"}
        certificates[name]["revocation"] = revoked
    (folder / "certomancer.yml").write_text(json.dumps(config), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}/fleet/crls/issuing/latest.crl"
    with running((CERTOMANCER, "animate", "--port", str(port)), folder, url):
        yield url


def fetches(url: str, connections: int = CONNECTIONS) -> Contender:
    """wrk for some seconds; the cost is the seconds of wall clock for each fetch. RuntimeError for errors."""

    def contender(folder: Path) -> Cost:
        client = (CLIENT, "-t1", f"-c{connections}", f"-d{_SECONDS}s", url)
        output = run(client, folder).output
        rate = _RATE.search(output)
        if rate is None or float(rate[1]) == 0 or (_ERRORS.search(output) and "Non-2xx" in output):
            raise RuntimeError(f"{url} is not served as it should be:\n{output}")
        return Cost(1 / float(rate[1]), 0.0, output)

    return contender


def size(url: str) -> int:
    """Bytes of what a URL gives."""
    with urlopen(url) as answer:  # noqa: S310  our own URL
        return len(answer.read())


@contextmanager
def running(command: tuple[str, ...], folder: Path, url: str) -> Iterator[str]:
    """A server in the background, from when ``url`` answers; ended with the block."""
    with process(command, folder, url):
        yield url


@contextmanager
def process(command: tuple[str, ...], folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a server, from when ``url`` answers; ended with the block."""
    with ExitStack() as stack:
        log = stack.enter_context((folder / "server.log").open("wb"))
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        end = time.monotonic() + _SECONDS_TO_START
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > end:
                output = (folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RuntimeError(f"{' '.join(command)} does not serve {url}:\n{output}")
            time.sleep(0.05)
        yield server


def _answers(url: str) -> bool:
    try:
        return size(url) > 0
    except HTTPError as error:
        raise RuntimeError(f"{url} answers {error.code}") from error
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
