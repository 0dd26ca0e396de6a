"""Kills the enrollment server while clients obtain certificates: none that a client has is lost."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.environment.enrol import Enroller
from tests.attack.commands import run_command
from tests.attack.result import Outcome, outcome
from tests.clients.conftest import free_port
from tests.enrolment.acme.client import AcmeClient, Connection
from tests.enrolment.acme.load import Directory
from tests.enrolment.acme.served import ServedEnvironment, build_environment, txt_records

_CLIENTS = 4
_MOST_RESPONSES = 60
"""The server is killed after up to so many responses."""


def enrolment_kills(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Kill the server once for each number, always over the environment that the kill before left."""
    with txt_records() as (dns_port, records):
        environment, port = build_environment(folder, dns_port), free_port()
        server = ServedEnvironment(environment, port)
        clients = _Clients(server.directory(records))
        try:
            for number in numbers:
                rng = random.Random(f"enrolment {seed} {number}")
                clients.run_until_kill(server, rng.randrange(1, _MOST_RESPONSES), number)
                server = ServedEnvironment(environment, port)
                yield outcome(number, clients.loss(environment, rng))
        finally:
            clients.close()
            server.stop()


@dataclass
class _Client:
    """A client whose account outlives the server, and what it has received: certificates by their order."""

    acme: AcmeClient
    certificates: dict[str, bytes] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)

    def get_certificates(self, names: Iterator[str]) -> None:
        """Request one certificate after the other until the connection fails."""
        with suppress(OSError, HTTPException):
            if not self.acme.kid:
                response = self.acme.register()
                assert response.status_code in (200, 201), response.text
            for name in names:
                response = self.acme.order(name)
                assert response.status_code == 201, response.text
                url = response.headers["Location"]
                self.orders.append(url)
                self.acme.authorize(response.json())
                response = self.acme.finalize(response.json(), name)
                assert response.status_code == 200, response.text
                self.certificates[url] = self.acme.post(response.json()["certificate"]).content


class _Clients:
    """Several clients with a connection each."""

    def __init__(self, directory: Directory) -> None:
        self._connections = [Connection(directory.trust, self._count) for _ in range(_CLIENTS)]
        self._clients = [
            _Client(AcmeClient(one, directory.url, directory.set_txt)) for one in self._connections
        ]
        self._checked = set[bytes]()
        self._lock = Lock()
        self._left = 0
        self._server: ServedEnvironment | None = None
        self._problems = list[str]()

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    def _count(self, _response: httpx.Response) -> None:
        """Kill the server after the last of the counted responses; other requests are under way."""
        with self._lock:
            self._left -= 1
            if self._left == 0 and self._server is not None:
                self._server.process.kill()

    def run_until_kill(self, server: ServedEnvironment, responses: int, number: int) -> None:
        """Let all clients work until the server is killed."""
        self._server, self._left = server, responses
        threads = [Thread(target=self._work, args=(one, number)) for one in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._server = None
        server.kill()

    def _work(self, index: int, number: int) -> None:
        names = (f"c{index}-k{number}-{count}.contoso.test" for count in range(1000))
        client = self._clients[index]
        client.acme.nonce = ""
        try:
            client.get_certificates(names)
        except Exception as error:  # noqa: BLE001  a wrong response is the finding
            self._problems.append(f"{type(error).__name__}: {str(error)[:300]}")

    def loss(self, folder: Path, rng: random.Random) -> str:
        """Return what is lost after the next start of the server; empty if nothing is."""
        problems, self._problems = self._problems, []
        manifest = json.loads((folder / "manifest.json").read_bytes())
        listed = {int(one["serial"], 16): one for one in manifest.get("enrolled", ())}
        received = [pem for client in self._clients for pem in client.certificates.values()]
        new = [one for one in received if one not in self._checked]
        for chain in new:
            certificate = x509.load_pem_x509_certificate(chain)
            problems += _missing(folder, certificate, listed)
        self._checked.update(new)
        if new:
            problems += _not_revocable(folder, x509.load_pem_x509_certificate(rng.choice(new)))
        for client in self._clients:
            problems += _not_kept(client)
        return "; ".join(problems)


def _missing(folder: Path, certificate: x509.Certificate, listed: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Yield where a received certificate is missing: in the index, in the manifest, in its directory."""
    serial, der = certificate.serial_number, certificate.public_bytes(Encoding.DER)
    enrolled = Enroller(folder).find(issuer="issuing", serial=serial)
    if enrolled is None or enrolled.certificate != der:
        yield f"the index does not have {serial:x}"
    if serial not in listed:
        yield f"the manifest does not list {serial:x}"
    else:
        name = listed[serial]["name"]
        stored = x509.load_pem_x509_certificate((folder / "certificates" / name / f"{name}.crt").read_bytes())
        if stored != certificate:
            yield f"{name}.crt is another certificate"


def _not_revocable(folder: Path, certificate: x509.Certificate) -> Iterator[str]:
    """Revoke a certificate by its serial number; yield what fails."""
    number = f"{certificate.serial_number:x}"
    ended = run_command(("revoke", str(folder), "--issued-by", "issuing", "--serial", number))
    crl = x509.load_der_x509_crl((folder / "www" / "crl" / "issuing.crl").read_bytes())
    if ended.code != 0:
        yield f"{number} cannot be revoked: {ended.err[-300:]}"
    elif crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is None:
        yield f"the CRL does not list {number}"


def _not_kept(client: _Client) -> Iterator[str]:
    """Yield what the restarted server no longer has of a client's account, orders and certificates."""
    acme, last = client.acme, client.orders[-1:]
    acme.nonce = ""
    if not acme.kid:
        return
    if acme.get(acme.kid)["status"] != "valid":
        yield "an account is lost"
    unfinished = [url for url in client.orders if url not in client.certificates]
    for url in (*unfinished, *last):
        response = acme.post(url)
        if response.status_code != 200 or response.json()["status"] not in ("pending", "ready", "valid"):
            yield f"an order is lost: {response.text[:300]}"
        elif url in client.certificates:
            chain = acme.post(response.json()["certificate"]).content
            if chain != client.certificates[url]:
                yield "an order has another certificate"
    client.orders = list(client.certificates)[-1:]
