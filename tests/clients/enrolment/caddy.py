"""Caddy as an ACME client: a server that manages the certificate of one name."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509

from tests import tools
from tests.clients.conftest import free_port
from tests.clients.enrolment.acme_clients import Acme

_SECONDS = 300.0
_CADDYFILE = """{{
    admin off
    storage file_system {directory}/storage
    http_port {http_port}
    https_port {acme.tls_port}
    default_bind 127.0.0.1
    skip_install_trust
}}
{name} {{
    tls {{
        issuer acme {{
            dir {acme.url}
            trusted_roots {acme.trust}
            disable_http_challenge
        }}
    }}
    respond "ok"
}}
"""


class Caddy:
    """Caddy with the challenge tls-alpn-01, its storage below ``directory``."""

    def __init__(self, acme: Acme, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        caddyfile = directory / "Caddyfile"
        caddyfile.write_text(
            _CADDYFILE.format(directory=directory, acme=acme, name=name, http_port=free_port())
        )
        adapted = tools.run("caddy", "adapt", "--config", caddyfile, "--adapter", "caddyfile")
        self._config = json.loads(adapted)

    @property
    def log(self) -> str:
        """What Caddy has logged."""
        return (self._directory / "caddy.log").read_text("utf-8")

    @property
    def certificate(self) -> x509.Certificate | None:
        """The current certificate."""
        paths = list(self._directory.glob(f"storage/certificates/*/{self._name}/{self._name}.crt"))
        return x509.load_pem_x509_certificate(paths[0].read_bytes()) if paths else None

    @contextmanager
    def running(self, *, always_renews: bool = False, checks_ocsp: bool = False) -> Iterator[None]:
        """Run Caddy until the block ends.

        ``always_renews`` begins its renewal window with the validity; with ``checks_ocsp``, Caddy looks at
        OCSP responses every second instead of every hour.
        """
        automation = self._config["apps"]["tls"]["automation"]
        if always_renews:
            for policy in automation["policies"]:
                policy["renewal_window_ratio"] = 1.0
        if checks_ocsp:
            automation["ocsp_interval"] = "1s"
        path = self._directory / "caddy.json"
        path.write_text(json.dumps(self._config))
        home = {"HOME": str(self._directory), "XDG_DATA_HOME": str(self._directory)}
        with (self._directory / "caddy.log").open("ab") as log:
            command = ["caddy", "run", "--config", str(path)]
            with subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **home}) as process:
                try:
                    yield
                finally:
                    process.terminate()

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Wait until a condition holds."""
        ends = time.monotonic() + _SECONDS
        while not holds():
            assert time.monotonic() < ends, self.log
            time.sleep(0.1)

    def obtained(self, *, other_than: int = 0) -> int:
        """Wait for a certificate with another serial number, and return its serial number."""
        self.wait_for(lambda: self.certificate is not None and self.certificate.serial_number != other_than)
        assert self.certificate is not None
        return self.certificate.serial_number
