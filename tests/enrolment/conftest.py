"""An environment with templates, its enrollment server, and an HTTP client that presents a certificate."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkigen.enrolment import serve_enrolment
from pkigen.enrolment.own_certificate import registration_authority
from pkigen.enrolment.server import EnrolmentServer
from pkigen.environment.build.build import build
from pkigen.environment.enrol import Enroller
from pkigen.formats import pem
from pkigen.keys import PrivateKey
from pkigen.profile import load

PROFILE = """
name: devices
defaults: {key: ec-p256, subject: {O: Contoso}, valid: 47d}
authorities:
  root: {}
  issuing: {issuer: root}
  other: {issuer: root}
  signing: {issuer: root, key: rsa-2048, key_usage: [keyCertSign, cRLSign, digitalSignature, keyEncipherment]}
certificates:
  console: {issuer: issuing, subject: {CN: console.contoso.test}}
  revoked: {issuer: other, subject: {CN: revoked.contoso.test}, revoked: keyCompromise}
enrolment:
  sensors:
    issuer: issuing
    key: ec-p384
    names: ["*.contoso.test"]
    from_request: [subject, san.dns]
    est: {user: device, passphrase: wonderful}
    scep: {challenge: wonderful}
    cmp: {secret: wonderful, reference: lab}
  open: {issuer: other, est: {}}
  direct: {issuer: signing, scep: {}}
  broken: {issuer: signing, faults: [expired], scep: {}, cmp: {}}
"""


@dataclass
class Lab:
    """A running server over ``folder``."""

    folder: Path
    server: EnrolmentServer
    _stack: ExitStack = field(repr=False)

    def client(self, certificate: bytes = b"", key: PrivateKey | None = None) -> httpx.Client:
        """Return a client that trusts the environment, and presents a certificate (DER) if one is given."""
        context = ssl.create_default_context(cafile=self.folder / "trust.pem")
        if key is not None:
            path = self.folder.parent / "client.pem"
            secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_bytes(secret + pem.certificate(certificate))
            context.load_cert_chain(path)
        client = httpx.Client(base_url=self.server.url, verify=context, timeout=20)
        return self._stack.enter_context(client)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("enrolment")
    (directory / "devices.yaml").write_text(PROFILE)
    folder = build(load(directory / "devices.yaml"), directory / "out").folder
    registration_authority(Enroller(folder), "issuing").current()  # once, since it has an RSA key
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "devices", symlinks=True)


@pytest.fixture
def enroller(folder: Path) -> Enroller:
    return Enroller(folder)


@pytest.fixture
def lab(folder: Path) -> Iterator[Lab]:
    with ExitStack() as stack:
        yield Lab(folder, stack.enter_context(serve_enrolment(folder)), stack)
