"""An environment with templates for real clients, and `pkigen serve --enrol-port` over it.

``make clients`` sets PKIGEN_CLIENTS=all and runs everything; ``make test`` leaves out tests with the mark
``only_clients``, which take longer.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from pkigen.environment.build.build import build
from pkigen.environment.environment import Environment, open_environment
from pkigen.profile import load
from tests import tools
from tests.cli.conftest import finish, start
from tests.clients.conftest import free_port

ALL = os.environ.get("PKIGEN_CLIENTS") == "all"
only_clients = pytest.mark.skipif(not ALL, reason="only `make clients` runs this")

PROFILE = """
name: devices
base_url: http://127.0.0.1:{port}
defaults: {{key: ec-p256, subject: {{O: Contoso}}, valid: 47d}}
authorities: {{root: {{}}, ot-issuing: {{issuer: root, key: rsa-2048{issuing}}}}}
enrolment:
  sensors:
    issuer: ot-issuing
    from_request: [subject, san.dns]
    names: ["*.contoso.test", localhost]
    {protocol}: {settings}
"""


@dataclass(frozen=True)
class Enrolment:
    """A running server. ``announced`` is its output with --json; ``url`` that of the template ``sensors``."""

    folder: Path
    announced: dict[str, Any]

    @property
    def url(self) -> str:
        """The URL of the template."""
        return str(self.announced["enrolment"][0]["url"])

    @property
    def base(self) -> str:
        """The URL of the TLS port."""
        return str(self.announced["enrol_url"])

    @property
    def trust(self) -> Path:
        """The trust anchors."""
        return self.folder / "trust.pem"

    @contextmanager
    def fault(self, own_id: str, **options: object) -> Iterator[None]:
        """Let the server have a fault until the block ends; it needs the option --control-port."""
        self._control("PUT", {"fault": {own_id: options}})
        try:
            yield
        finally:
            self._control("DELETE", {})

    def _control(self, method: str, body: dict[str, object]) -> None:
        control = json.loads((self.folder / ".pkigen" / "control.json").read_text("utf-8"))
        headers = {"Authorization": f"Bearer {control['token']}"}
        response = httpx.request(method, f"{control['url']}/enrolment/faults", json=body, headers=headers)
        assert response.status_code == 200, response.text

    def environment(self) -> Environment:
        """Return the environment with what was issued so far."""
        return open_environment(self.folder)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Enrolment]:
    """Run `pkigen serve --enrol-port 0` until the block ends; it must not print a traceback."""
    process = start("serve", folder, "--enrol-port", "0", "--json", *options)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        yield Enrolment(folder, json.loads(line))
    finally:
        process.send_signal(signal.SIGTERM)
        outcome = finish(process)
    assert "Traceback" not in outcome.err, outcome.err


def environment_with(protocol: str, settings: str, out: Path, issuing: str = "") -> Path:
    """Build the environment of a template ``sensors`` with one protocol.

    ``issuing`` are further fields of the issuing CA.
    """
    profile = out / "devices.yaml"
    profile.write_text(
        PROFILE.format(port=free_port(), protocol=protocol, settings=settings, issuing=issuing)
    )
    return build(load(profile), out).folder


def make_request(out: Path, name: str, key: str = "ec") -> tuple[Path, Path]:
    """Let openssl make a key and a request for a host name; return their paths."""
    files = out / f"{name}.key", out / f"{name}.csr"
    kind = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256") if key == "ec" else (key,)
    tools.run(
        *("openssl", "req", "-new", "-newkey", *kind, "-nodes", "-keyout", files[0], "-out", files[1]),
        *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-outform", "DER"),
    )
    return files


def verify(enrolment: Enrolment, certificate: Path, *options: str | Path) -> None:
    """Let openssl verify a certificate (PEM) below the environment's CAs."""
    issuing = enrolment.folder / "authorities" / "ot-issuing" / "ot-issuing.crt"
    command = ("openssl", "verify", "-x509_strict", "-CAfile", enrolment.trust, "-untrusted", issuing)
    tools.run(*command, *options, certificate)
