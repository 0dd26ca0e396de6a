"""One environment with every kind of revocation, served; what is revoked was revoked by command."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from pkigen.environment.build.build import build
from pkigen.environment.revoke import refresh_crl, revoke, unrevoke
from pkigen.profile import load
from pkigen.serve import serve, serve_tls

KINDS = ("plain", "delegated", "named", "delta", "partitioned", "reasoned", "indirect")
"""An authority of each name, with a certificate good-NAME and one bad-NAME, which is revoked."""


@dataclass(frozen=True)
class Lab:
    """The environment in ``folder``, what is at ``url``, its certificates at ``tls_port``."""

    folder: Path
    url: str
    tls_port: int

    @property
    def trust(self) -> Path:
        return self.folder / "trust.pem"

    def certificate(self, name: str) -> Path:
        return self.folder / "certificates" / name / f"{name}.crt"

    def chain(self, name: str) -> Path:
        return self.folder / "certificates" / name / "chain.pem"

    def authority(self, name: str) -> Path:
        return self.folder / "authorities" / name / f"{name}.crt"

    def crl(self, path: str) -> str:
        return f"{self.url}/crl/{path}.crl"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_any(*command: str | Path, stdin: str = "") -> tuple[int, str]:
    """Run a program that may fail; return its exit code and its output."""
    done = subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def document(port: int) -> dict[str, object]:
    def authority(**fields: object) -> dict[str, object]:
        return {"issuer": "root", **fields}

    certificates: dict[str, object] = {}
    for kind in KINDS:
        for name in (f"good-{kind}", f"bad-{kind}"):
            certificates[name] = {
                "issuer": kind,
                "subject": {"CN": f"{name}.contoso.test"},
                "must_staple": kind in ("plain", "delegated"),
            }
    for name, issuer in (("answers", "delegated"), ("speaks", "named")):
        usage = {"extended_key_usage": ["OCSPSigning"], "ocsp_no_check": True}
        certificates[name] = {"issuer": issuer, "subject": {"CN": f"OCSP {name}"}, "san": "none", **usage}
    certificates["held"] = {"issuer": "delta", "subject": {"CN": "held.contoso.test"}}
    return {
        "name": "lab",
        "base_url": f"http://127.0.0.1:{port}",
        "defaults": {"key": "ec-p256", "subject": {"O": "Contoso"}},
        "authorities": {
            "root": {"subject": {"CN": "Root"}},
            "plain": authority(subject={"CN": "Plain"}, ocsp={"by": "key"}, key="rsa-2048"),
            "delegated": authority(subject={"CN": "Delegated"}, ocsp={"responder": "answers"}),
            "named": authority(subject={"CN": "Named"}, ocsp={"responder": "speaks", "by": "name"}),
            "delta": authority(subject={"CN": "Delta"}, crl={"delta": "1d"}),
            "partitioned": authority(subject={"CN": "Partitioned"}, crl={"partitions": 3}),
            "reasoned": authority(subject={"CN": "Reasoned"}, crl={"reasons": ["keyCompromise"]}),
            "indirect": authority(subject={"CN": "Indirect"}, crl={"issuer": "root"}),
        },
        "certificates": certificates,
    }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    out, port = tmp_path_factory.mktemp("clients"), free_port()
    (out / "lab.yaml").write_text(yaml.safe_dump(document(port)), encoding="utf-8")
    folder = build(load(out / "lab.yaml"), out).folder
    # In the base CRL of "delta" one is on hold, and nothing else: the rest is in the delta CRL alone.
    revoke(folder, ["held"], reason="certificateHold")
    refresh_crl(folder, ["delta"])
    unrevoke(folder, ["held"])
    with serve(folder, port=port) as url, serve_tls(folder) as tls:
        revoke(folder, [f"bad-{kind}" for kind in KINDS], reason="superseded")
        yield Lab(folder, url, int(tls.rpartition(":")[2]))
