"""The ACME clients against Pebble, as a control: what fails there is the client's fault, not pkigen's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.clients.conftest import free_port
from tests.clients.enrolment.acme_clients import CLIENTS, Acme, Client, client_of, web_server
from tests.clients.enrolment.conftest import only_clients
from tests.enrolment.acme.pebble import challenge_dns_server, running_pebble

pytestmark = [only_clients, pytest.mark.needs("pebble", "openssl")]


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    directory, tls_port = tmp_path_factory.mktemp("pebble"), free_port()
    with (
        web_server(directory) as (web, port),
        challenge_dns_server(directory) as dns_server,
        running_pebble(directory, dns_server, http_port=port, tls_port=tls_port) as server,
    ):
        yield Acme(server.url, server.trust, web, port, tls_port)


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_client_gets_renews_and_revokes_a_certificate_of_pebble(
    pebble: Acme, tmp_path: Path, kind: type[Client]
) -> None:
    client, name = client_of(kind, pebble, tmp_path), f"{kind.__name__.lower()}.contoso.test"
    serials = set[int]()
    for act in (client.first, client.renew):
        code, output = act(name)
        assert code == 0, output
        serials.add(x509.load_pem_x509_certificate(client.certificate(name).read_bytes()).serial_number)
    assert len(serials) == 2
    code, output = client.revoke(name)
    assert code == 0, output
