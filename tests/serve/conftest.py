"""A stub that serves a hand-made environment."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import Case, Environment
from pkigen.serve import serve, serve_tls

CRL = b"\x30\x03\x02\x01\x01"
CERTIFICATE = b"\x30\x03\x02\x01\x02"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Stub:
    """The server at ``url`` over ``folder``; ``ask`` sends a path exactly as it is given."""

    folder: Path
    url: str

    @property
    def www(self) -> Path:
        return self.folder / "www"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of an environment with the CRL and certificate of one CA, and a key."""
    return make_environment(tmp_path / "contoso", "http://127.0.0.1:8080")


def make_environment(folder: Path, base_url: str) -> Path:
    for name, data in {
        "www/crl/root.crl": CRL,
        "www/ca/root.crt": CERTIFICATE,
        "authorities/root/root.key": b"a secret",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    manifest = {
        "clock": "2026-11-01T00:00:00Z", "format": "pkigen-manifest", "version": 1, "environment": "contoso",
        "base_url": base_url, "requirements": [], "seeded": False, "trust": "trust.pem", "authorities": [],
        "cases": [],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    folder = make_environment(tmp_path_factory.mktemp("served") / "contoso", "http://127.0.0.1:8080")
    with serve(folder) as url:
        yield Stub(folder, url)


@pytest.fixture
def stub(running: Stub) -> Stub:
    """One server for all tests of a file; each test starts with new files."""
    shutil.rmtree(running.www)
    make_environment(running.folder, "http://127.0.0.1:8080")
    return running


@dataclass(frozen=True)
class Endpoints:
    """The TLS endpoints of a built environment, with cases of every family, at ``port``."""

    environment: Environment
    port: int

    def case(self, fault: str) -> Case:
        """The case of a fault; that without one for "sound"."""
        return self.environment["sensor" if fault == "sound" else f"sensor.{fault}"]

    def host(self, fault: str) -> str:
        return self.case(fault).hosts[0]


TRANSPORT = (
    "tls-no-certificate",
    "tls-wrong-sni-certificate",
    "tls-slow-handshake",
    "tls-close-after-hello",
    "plaintext-on-tls-port",
    "tls-version-1.0-only",
    "tls-bad-certificate-verify",
    "tls-certificate-verify-other-key",
)
AS_ISSUED = (
    "expired",
    "self-signed",
    "der-trailing-data",
    "der-truncated",
    "der-wrong-tag-tbs",
    "ber-indefinite-outer",
    "san-malformed",
    "ext-duplicate",
    "sig-md5",
    "must-staple-no-staple",
    "key-rsa-512",
    "key-rsa-1024-leaf",
    "key-ec-p192",
    "key-mldsa-leaf",
    "key-spki-garbage",
    "key-mismatch",
    "key-type-mismatch",
    "key-encrypted",
    "key-empty",
    "key-two-first-wrong",
    "pem-crlf",
    "pem-utf16",
    "pem-wrong-label",
    "file-der-in-pem-name",
    "file-pkcs7-instead",
    "stapled-missing",
    "ocsp-revoked",
)
"""Faults whose files hold the very certificate that was issued."""
CHAINS = (
    "chain-includes-root",
    "chain-reversed",
    "chain-duplicate-intermediate",
    "chain-missing-intermediate",
    "chain-key-in-chain-file",
    "chain-file-leaf-not-first",
    "chain-second-block-corrupt",
)
FILES = ("pem-html-body", "pem-empty-file", "pem-bad-base64", "file-csr-instead")

_SUBJECT = {"C": "US", "O": "Contoso Inc.", "OU": "Contoso Labs", "CN": "sensor.contoso.test"}
_ENDPOINTS = {
    "name": "endpoints",
    "authorities": {"root": {"key": "ec-p256"}, "issuing": {"issuer": "root", "key": "ec-p256"}},
    "certificates": {
        "sensor": {"issuer": "issuing", "key": "ec-p256", "subject": _SUBJECT},
        "console": {"issuer": "issuing", "key": "rsa-2048", "san": ["dns:console.contoso.test"]},
        "edge": {"issuer": "issuing", "key": "ed25519", "san": ["dns:*.edge.contoso.test"]},
        "gateway": {"issuer": "issuing", "key": "ec-p384", "san": ["ip:127.0.0.2"]},
        "vault": {
            "issuer": "issuing",
            "key": "ec-p256",
            "passphrase": "open sesame",
            "san": ["dns:vault.contoso.test"],
        },
    },
    "negatives": [{"of": "sensor", "faults": [*TRANSPORT, *AS_ISSUED, *CHAINS, *FILES]}],
}


@pytest.fixture(scope="session")
def presented(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A built environment for TLS endpoints."""
    return build(_ENDPOINTS, tmp_path_factory.mktemp("endpoints"))


@pytest.fixture(scope="session")
def endpoints(presented: Environment) -> Iterator[Endpoints]:
    with serve_tls(presented.folder) as url:
        yield Endpoints(presented, int(url.rpartition(":")[2]))
