"""The Testcontainers class, with a substitute of the Docker client; wheels for another machine."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from tests.installers.test_installers import INSTALLERS, with_index
from tests.tools import ROOT, run

SCRIPT = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
import testcontainers.core.container as container
from docker.models.containers import ExecResult

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()
    def log_message(self, *words): pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
started = {}

class Started:
    short_id = id = "0"
    status = "running"
    def exec_run(self, cmd, **options): return ExecResult(int("missing" in cmd), " ".join(cmd).encode())
    def reload(self): pass
    def remove(self, **options): pass
    def stop(self, **options): pass

class Client:
    def __init__(self, **options): pass
    client = type("Connection", (), {"close": lambda self: None})()
    def create(self, image, **options):
        started.update(image=image, **{name: str(value) for name, value in options.items()})
        return Started()
    def start(self, container): pass

container.DockerClient = Client
container.c.ryuk_disabled = True
container.DockerContainer.get_container_host_ip = lambda self: "127.0.0.1"
container.DockerContainer.get_exposed_port = lambda self, port: server.server_port
from pkigen_container import PkigenContainer

with PkigenContainer(sys.argv[1]) as pki:
    try:
        pki.read("missing")
        raise SystemExit("no error")
    except FileNotFoundError:
        print(json.dumps({**started, "url": pki.url, "tls": pki.tls_address, "trust": pki.trust.decode()}))
"""


@with_index
def test_the_container_builds_the_profile_and_is_ready_when_it_serves(tmp_path: Path) -> None:
    (tmp_path / "pki.yaml").write_text("name: x\n")
    python = f"{INSTALLERS}/bin/python"
    output = run(
        python,
        "-c",
        SCRIPT,
        tmp_path / "pki.yaml",
        cwd=tmp_path,
        environ={"PYTHONPATH": str(ROOT / "examples" / "testcontainers")},
    )
    started = json.loads(output.splitlines()[-1])
    assert started["image"] == "pkigen"
    assert started["command"] == "['/profile/pki.yaml']"
    assert "pkigen build" in started["entrypoint"]
    assert str(tmp_path) in started["volumes"]
    assert re.search(r"8080.*8080", started["ports"])
    assert "8443" in started["ports"]
    assert started["url"].startswith("http://127.0.0.1:")
    assert "trust.pem" in started["trust"]


@with_index
def test_every_package_of_the_image_has_a_wheel_for_arm64(tmp_path: Path) -> None:
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    (version,) = re.findall(r"^ARG PYTHON=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    options = ["--only-binary=:all:", "--no-compile", "--dry-run", "--ignore-installed", "--quiet"]
    options += [
        "--python-version",
        version,
        "--target",
        str(tmp_path),
        "--report",
        str(tmp_path / "report.json"),
    ]
    for machine in ("x86_64", "aarch64"):
        platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in (17, 28, 34)]
        platforms.append(f"--platform=manylinux2014_{machine}")
        run(f"{INSTALLERS}/bin/python", "-m", "pip", "install", *options, *platforms, *requirements)
        report = json.loads((tmp_path / "report.json").read_bytes())
        urls = [one["download_info"]["url"] for one in report["install"]]
        assert any(f"{machine}.whl" in url for url in urls)
