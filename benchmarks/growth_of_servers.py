"""How the work of servers grows: at three sizes each, with the exponent between the last two.

The cost of a handshake, of an OCSP response and of a CRL fetch must not depend on the number of certificates;
that of ACME orders and of a lab grows with the number of orders and appliances.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from cryptography.x509.ocsp import OCSPRequestBuilder

from benchmarks import contenders, enrolling, growth, labs
from benchmarks.handshakes import cpu_seconds
from benchmarks.measure import new_folder, run
from benchmarks.rows import Row
from benchmarks.serving import free_port, process
from tests.enrolment.acme.load import complete_orders
from tests.enrolment.acme.served import ServedEnvironment, build_environment, txt_records

_CONSTANT = 0.2
"""The largest exponent of a cost that does not grow: measurements differ by a few percent."""
_REQUESTS = 300
_PROFILE = """\
name: fleet
base_url: http://127.0.0.1:8080
defaults: {{key: ec-p256}}
authorities:
  root: {{subject: {{CN: Root}}}}
  issuing: {{issuer: root, subject: {{CN: Issuing}}, ocsp: {{}}}}
certificates:
  "sensor-{{00001..{count:05}}}": {{issuer: issuing, subject: {{CN: "{{{{ name }}}}.contoso.test"}}}}
  "revoked-{{00001..{revoked:05}}}": {{like: sensor-00001, revoked: superseded}}
"""


def serving(sizes: tuple[int, ...], space: Path) -> Iterator[Row]:
    """CPU of the server for requests about different certificates, of which it has more and more.

    A tenth of as many again are revoked, so that the CRL grows, too.
    """
    names = ("TLS 1.3 handshakes, EC P-256", "OCSP responses", "CRL fetches")
    costs: dict[str, list[float]] = {name: [] for name in names}
    for size in sizes:
        folder = new_folder(space)
        (folder / "fleet.yaml").write_text(_PROFILE.format(count=size, revoked=size // 10), encoding="utf-8")
        run((*contenders.PKIGEN, "build", "fleet.yaml"), folder)
        environment, port, tls_port = folder / "out" / "fleet", free_port(), free_port()
        ports = ("--port", str(port), "--tls-port", str(tls_port))
        command = (*contenders.PKIGEN, "serve", str(environment), *ports)
        clients = (_handshakes(tls_port, size), _responses(port, environment), _fetches(port))
        with process(command, folder, f"http://127.0.0.1:{port}/healthz") as server:
            for name, client in zip(names, clients, strict=True):
                client(0)  # the first request reads the manifest
                before = cpu_seconds(server.pid)
                for number in range(1, _REQUESTS + 1):
                    client(number)
                costs[name].append((cpu_seconds(server.pid) - before) / _REQUESTS * 1000)
    for name, values in costs.items():
        yield growth.row(f"{name}, certificates", sizes, values, "ms each", _CONSTANT)


def _handshakes(port: int, size: int) -> Callable[[int], None]:
    """Return a client that asks for another certificate each time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def handshake(number: int) -> None:
        host = f"sensor-{number * 7 % size + 1:05}.contoso.test"
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            context.wrap_socket(connection, server_hostname=host) as client,
        ):
            client.unwrap()

    return handshake


def _responses(port: int, environment: Path) -> Callable[[int], None]:
    """Return a client that asks about another certificate each time, if there are enough."""
    issuer = load_pem_x509_certificate((environment / "authorities/issuing/issuing.crt").read_bytes())
    requests = []
    for path in sorted(environment.glob("certificates/sensor-*/*.crt"))[: _REQUESTS + 1]:
        builder = OCSPRequestBuilder().add_certificate(
            load_pem_x509_certificate(path.read_bytes()), issuer, hashes.SHA256()
        )
        requests.append(builder.build().public_bytes(Encoding.DER))
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(number: int) -> None:
        body = requests[number % len(requests)]
        connection.request("POST", "/ocsp", body, {"Content-Type": "application/ocsp-request"})
        _read(connection)

    return ask


def _fetches(port: int) -> Callable[[int], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def fetch(_number: int) -> None:
        connection.request("GET", "/crl/issuing.crl")
        _read(connection)

    return fetch


def _read(connection: http.client.HTTPConnection) -> None:
    response = connection.getresponse()
    if response.status != http.HTTPStatus.OK or not response.read():
        raise RuntimeError(f"the server answers {response.status}")


def orders(sizes: tuple[int, ...], space: Path) -> Iterator[Row]:
    """CPU of an enrollment server for so many ACME orders, each in an environment without others."""
    costs = []
    with txt_records() as (dns_port, records):
        for size in sizes:
            server = ServedEnvironment(build_environment(new_folder(space), dns_port))
            try:
                before = cpu_seconds(server.process.pid)
                connections = enrolling.CONNECTIONS
                outcome = complete_orders(server.directory(records), orders=size, connections=connections)
                costs.append(cpu_seconds(server.process.pid) - before)
            finally:
                server.stop()
            if outcome.problems:
                raise RuntimeError(f"{len(outcome.problems)} orders failed: {outcome.problems[0]}")
    yield growth.row("ACME orders", sizes, costs)


def lab(sizes: tuple[int, ...], space: Path) -> Iterator[Row]:
    """CPU of a lab from its start in an empty directory until all sensors are connected, and of its end."""
    yield growth.row("lab, sensors", sizes, [labs.started(size, new_folder(space)).cpu for size in sizes])


measurements: tuple[tuple[str, Callable[[Path], Iterator[Row]]], ...] = (
    ("growth of servers", partial(serving, (100, 1_000, 10_000))),
    ("growth of ACME orders", partial(orders, (100, 300, 1_000))),
    ("growth of labs", partial(lab, (10, 30, 100))),
)
