"""The ACME clients against Pebble, as a control: what fails there is the client's fault, not pkigen's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.clients.conftest import free_port
from tests.clients.enrolment.acme_clients import CLIENTS, Acme, Client, acme_tiny, client_of, web_server
from tests.clients.enrolment.caddy import Caddy
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


@pytest.mark.needs("acme-tiny")
def test_acme_tiny_gets_a_certificate_of_pebble(pebble: Acme, tmp_path: Path) -> None:
    path = acme_tiny(pebble, tmp_path, "tiny.contoso.test")
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["tiny.contoso.test"]


@pytest.mark.needs("caddy")
def test_caddy_gets_and_renews_a_certificate_of_pebble(pebble: Acme, tmp_path: Path) -> None:
    caddy = Caddy(pebble, tmp_path, "caddy.contoso.test")
    with caddy.running():
        first = caddy.obtained()
    with caddy.running(always_renews=True):
        caddy.obtained(other_than=first)
