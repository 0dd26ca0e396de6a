"""Many orders over several connections at once: for benchmarks, and to find wrong responses under load."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from threading import Lock, Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.enrolment.acme.client import AcmeClient, Connection


@dataclass(frozen=True)
class Directory:
    """A directory of a server: its URL, what its clients trust, and how they publish TXT records.

    ``issuer`` is the CA that must have signed the certificates, if that is checked.
    """

    url: str
    trust: ssl.SSLContext
    set_txt: Callable[[str, str], None]
    issuer: x509.Certificate | None = None

    def client(self, connection: Connection) -> AcmeClient:
        """Return a client with an account of its own."""
        client = AcmeClient(connection, self.url, self.set_txt)
        response = client.register()
        assert response.status_code == 201, response.text
        return client


@dataclass(frozen=True)
class Outcome:
    """The seconds from the first order to the last certificate, the serial numbers, and what was wrong."""

    seconds: float
    serials: frozenset[int]
    problems: tuple[str, ...]


def complete_orders(directory: Directory, *, orders: int, connections: int) -> Outcome:
    """Get a certificate for each of many names; every connection has an account of its own."""
    opened = [Connection(directory.trust) for _ in range(connections)]
    clients = [directory.client(one) for one in opened]
    names = _Names(f"device-{number}.contoso.test" for number in range(orders))
    serials, problems = list[int](), list[str]()

    def work(client: AcmeClient) -> None:
        for name in names:
            try:
                serials.append(_certificate_for(directory, client, name).serial_number)
            except Exception as error:  # noqa: BLE001  a wrong response is a result
                problems.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")

    threads = [Thread(target=work, args=(client,)) for client in clients]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for connection in opened:
        connection.close()
    if len(set(serials)) != len(serials):
        problems.append(f"{len(serials) - len(set(serials))} serial numbers were used twice")
    return Outcome(seconds, frozenset(serials), tuple(problems))


def _certificate_for(directory: Directory, client: AcmeClient, name: str) -> x509.Certificate:
    """Return a new certificate for a name; AssertionError if it is not the requested one."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = x509.load_pem_x509_certificate(client.issue(name, key=key))
    assert certificate.public_key() == key.public_key(), "the certificate has another key"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [name], "the certificate has other names"
    if directory.issuer is not None:
        certificate.verify_directly_issued_by(directory.issuer)
    return certificate


class _Names:
    """An iterator that threads share."""

    def __init__(self, names: Iterator[str]) -> None:
        self._names = chain(names)
        self._lock = Lock()

    def __iter__(self) -> _Names:
        return self

    def __next__(self) -> str:
        with self._lock:
            return next(self._names)
