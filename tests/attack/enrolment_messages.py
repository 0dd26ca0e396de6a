"""Mutated messages of EST, SCEP and CMP for the enrollment server."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.types import ASGIApp, Receive, Scope, Send

from fuzz.mutations import mutate
from pkigen import build
from pkigen.asn1 import der
from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.enrolment.scep import cms
from pkigen.enrolment.server import application
from pkigen.environment.enrol import Enroller
from pkigen.formats import pem
from pkigen.inspection.artifacts import read
from pkigen.x509 import Certificate
from tests.attack.requests import Errors
from tests.attack.result import Outcome, outcome
from tests.certification_requests import request
from tests.enrolment.cmp.written import device_key, first_message
from tests.enrolment.scep.client import VERISIGN, Device

_TEMPLATE = {"issuer": "root", "from_request": ["subject", "san"]}
_PROFILE = {
    "name": "attacked",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {"subject": {"CN": "Root"}}},
    "enrolment": {
        "open": {**_TEMPLATE, "est": {}, "scep": {}, "cmp": {}},
        "closed": {
            **_TEMPLATE,
            "est": {"user": "a", "passphrase": "b"},
            "scep": {"challenge": "wonderful"},
            "cmp": {"secret": "wonderful", "reference": "lab"},
        },
    },
}
_NAME = "a.contoso.test"
_TEMPLATES = ("open", "open", "open", "closed")
_OPERATIONS = ("simpleenroll", "simplereenroll", "serverkeygen", "cacerts", "csrattrs")
_KINDS = (17, 18, 19, 20, 21, 22, 3, 99)
_HEADERS = ("application/pkcs10", "application/pkixcmp", "", "text/plain", "multipart/mixed")

_CREDENTIALS = ("Basic", "Basic ====", "Bearer x", "Basic YTpi", "Basic /w==")

Sender = Callable[[random.Random], int]


class _Client:
    """A client of the application in this process."""

    def __init__(self, app: ASGIApp) -> None:
        self._loop = asyncio.new_event_loop()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://localhost")

    def get(self, path: str, **parts: Any) -> httpx.Response:
        """Return the response to a GET."""
        return self._loop.run_until_complete(self._http.get(path, **parts))

    def post(self, path: str, **parts: Any) -> httpx.Response:
        """Return the response to a POST."""
        return self._loop.run_until_complete(self._http.post(path, **parts))

    def close(self) -> None:
        """Close the event loop."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class _Unlimited:
    """Hides the address of the client, so that no rate limit applies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["client"] = None
        await self._app(scope, receive, send)


def enrolment_messages(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Send mutated messages to the application of the server: no status 5xx, no exception."""
    if shutil.which("openssl") is None:
        raise PermissionError("openssl is not installed")
    environment, errors = build(_PROFILE, folder).folder, Errors()
    logging.getLogger().addHandler(errors)
    app = _Unlimited(application(Enroller(environment), EnrolmentFaults()))
    try:
        with closing(_Client(app)) as client:
            senders = _est(client), _scep(client), _cmp(client, folder)
            for number in numbers:
                rng = random.Random(f"enrolment {seed} {number}")
                try:
                    status = rng.choice(senders)(rng)
                except Exception as error:  # noqa: BLE001  whatever is raised is the finding
                    yield outcome(number, f"{type(error).__name__}: {error}")
                    continue
                yield outcome(number, f"status {status}" if status >= 500 else errors.take())
    finally:
        logging.getLogger().removeHandler(errors)


def _est(client: _Client) -> Sender:
    seeds = [request(_NAME, [_NAME], encoding=Encoding.DER), request(_NAME, [], encoding=Encoding.DER)]

    def send(rng: random.Random) -> int:
        body = base64.b64encode(mutate(rng, rng.choice(seeds), seeds))
        body = mutate(rng, body, [body]) if not rng.randrange(4) else body
        headers = {"Content-Type": rng.choice(_HEADERS) if not rng.randrange(8) else _HEADERS[0]}
        if not rng.randrange(8):
            headers["Authorization"] = rng.choice(
                ("Basic", "Basic ====", "Bearer x", "Basic YTpi", "Basic /w==")
            )
        path = f"/.well-known/est/{rng.choice(_TEMPLATES)}/{rng.choice(_OPERATIONS)}"
        return client.post(path, content=body, headers=headers).status_code

    return send


def _scep(client: _Client) -> Sender:
    device = Device(_NAME)
    certificates = read(client.get("/scep/open?operation=GetCACert").content, "CA")
    (ca,) = (one.certificate for one in certificates[:1])
    assert ca is not None
    root = x509.load_der_x509_certificate(ca.der)
    issuer_and_serial = der.sequence(root.subject.public_bytes(), der.integer(root.serial_number))
    seeds = [device.request(), device.request(None), issuer_and_serial]

    def message(rng: random.Random) -> bytes:
        level = rng.randrange(4)
        content = rng.choice(seeds)
        content = mutate(rng, content, seeds) if level == 0 else content
        enveloped = cms.encrypt(content, Certificate(ca.der), rng.choice((cms.AES_256, cms.TRIPLE_DES)))
        enveloped = mutate(rng, enveloped, seeds) if level == 1 else enveloped
        attributes = {
            VERISIGN + "2": der.string(der.PRINTABLE_STRING, str(rng.choice(_KINDS))),
            VERISIGN + "5": der.octet_string(rng.randbytes(16)),
            VERISIGN + "7": der.string(der.PRINTABLE_STRING, f"transaction-{rng.randrange(9)}"),
        }
        if level == 2:
            name = rng.choice(list(attributes))
            attributes[name] = mutate(rng, attributes[name], seeds)
        assert isinstance(device.key, rsa.RSAPrivateKey)
        signed = cms.signed_message(enveloped, device.certificate, device.key, attributes, "sha256")
        return mutate(rng, signed, seeds) if level == 3 else signed

    def send(rng: random.Random) -> int:
        data, path = message(rng), f"/scep/{rng.choice(_TEMPLATES)}"
        if rng.randrange(8):
            return client.post(path, params={"operation": "PKIOperation"}, content=data).status_code
        text = base64.b64encode(data[: rng.choice((10, 3000))]).decode()
        operation = rng.choice(("PKIOperation", "GetCACaps", "GetCACert", "GetNextCACert", ""))
        return client.get(path, params={"operation": operation, "message": text}).status_code

    return send


def _cmp(client: _Client, folder: Path) -> Sender:
    key = device_key(folder)
    csr, certificate = folder / "device.csr", folder / "device.crt"
    csr.write_bytes(request(_NAME, [_NAME]))
    issued = client.post(
        "/.well-known/est/open/simpleenroll",
        content=base64.b64encode(request(_NAME, [_NAME], encoding=Encoding.DER)),
        headers={"Content-Type": _HEADERS[0]},
    )
    (first, *_) = read(base64.b64decode(issued.content), "issued")
    assert first.certificate is not None
    certificate.write_bytes(pem.certificate(first.certificate.der))
    commands = (
        *(("ir",), ("cr",), ("p10cr", "-csr", csr), ("rr", "-oldcert", certificate)),
        *(("genm",), ("genm", "-infotype", "signKeyPairTypes")),
    )
    protections = (("-unprotected_requests",), ("-secret", "pass:wonderful"))
    seeds = [
        first_message(key, str(command), *options, *protection, "-ref", "lab")
        for command, *options in commands
        for protection in protections
    ]

    def send(rng: random.Random) -> int:
        data = mutate(rng, rng.choice(seeds), seeds)
        path = rng.choice(("/cmp/{}", "/.well-known/cmp/p/{}")).format(rng.choice(_TEMPLATES))
        headers = {"Content-Type": rng.choice(_HEADERS) if not rng.randrange(20) else _HEADERS[1]}
        return client.post(path, content=data, headers=headers).status_code

    return send
