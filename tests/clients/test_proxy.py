"""A CRL fetched through a real proxy, where there is no other way."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from pkigen.environment.build.build import build
from pkigen.environment.revoke import revoke
from pkigen.profile import load
from pkigen.serve import serve
from tests.clients.conftest import free_port, run_any

pytestmark = pytest.mark.needs("tinyproxy", "curl")

_HOST = "pki.behind-the-proxy.test"
_CONFIG = """\
Port {port}
Listen 127.0.0.1
Timeout 20
MaxClients 20
Upstream http 127.0.0.1:{stub} "{host}"
"""


@contextmanager
def _tinyproxy(folder: Path, stub: int) -> Iterator[str]:
    """tinyproxy, which alone knows where the host is; it hands requests for it on to the stub."""
    port = free_port()
    config = folder / "tinyproxy.conf"
    config.write_text(_CONFIG.format(port=port, stub=stub, host=_HOST), encoding="utf-8")
    process = subprocess.Popen(["tinyproxy", "-d", "-c", str(config)], stdout=subprocess.DEVNULL)
    try:
        _until_it_listens(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("tinyproxy does not listen")


def test_a_crl_is_fetched_only_through_the_proxy(tmp_path: Path) -> None:
    document = {
        "name": "env",
        "base_url": f"http://{_HOST}",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"good": {"issuer": "issuing"}, "bad": {"issuer": "issuing"}},
    }
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    env = build(load(tmp_path / "env.yaml"), tmp_path).folder
    revoke(env, ["bad"], reason="keyCompromise")
    stub = free_port()
    with serve(env, port=stub), _tinyproxy(tmp_path, stub) as proxy:
        url, out = f"http://{_HOST}/crl/issuing.crl", tmp_path / "fetched.crl"
        code, words = run_any("curl", "--silent", "--show-error", "--max-time", "10", url)
        assert code == 6, words
        assert run_any("curl", "--silent", "--fail", "--proxy", proxy, "-o", out, url) == (0, "")
        assert out.read_bytes() == (env / "www" / "crl" / "issuing.crl").read_bytes()
        for name, last, words in (("good", 0, "accepted"), ("bad", 1, "is revoked")):
            folder = env / "certificates" / name
            command = ["-m", "pkigen", "verify", str(folder / f"{name}.crt"), "--fetch-crl"]
            command += ["--chain", str(folder / "chain.pem"), "--trust", str(env / "trust.pem")]
            code, output = run_any(sys.executable, *command)
            assert (code, "cannot be reached" in output or "no usable CRL" in output) == (1, True), output
            code, output = run_any(sys.executable, *command, "--proxy", proxy)
            assert (code, words in output) == (last, True), output
