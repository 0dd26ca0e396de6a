"""Orders from their creation to the certificate, in one process; openssl verifies the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests import tools
from tests.certification_requests import request
from tests.enrolment.acme.client import AcmeClient, b64
from tests.enrolment.acme.conftest import Directories


def _kind(document: dict[str, object]) -> str:
    return str(document["type"]).removeprefix("urn:ietf:params:acme:error:")


def test_openssl_accepts_the_certificate_of_an_order(
    client: AcmeClient, directories: Directories, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = client.issue("a.contoso.test", "*.a.contoso.test", key=key)
    leaf, *above = x509.load_pem_x509_certificates(pem)
    assert leaf.public_key() == key.public_key()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.contoso.test", "*.a.contoso.test"]
    assert len(above) == 1  # the root is not sent
    (tmp_path / "chain.pem").write_bytes(pem)
    trust = directories.folder / "trust.pem"
    files = ("-CAfile", trust, "-untrusted", tmp_path / "chain.pem", tmp_path / "chain.pem")
    tools.run("openssl", "verify", "-x509_strict", *files)


def test_the_alternate_chain_leads_to_the_other_root(client: AcmeClient) -> None:
    _, order = client.ready("a.contoso.test")
    url = client.finalize(order, "a.contoso.test").json()["certificate"]
    response = client.post(url)
    assert response.headers["Content-Type"] == "application/pem-certificate-chain"
    assert f'<{url}/1>;rel="alternate"' in response.headers["Link"]
    main, other = (
        x509.load_pem_x509_certificates(one.content) for one in (response, client.post(f"{url}/1"))
    )
    assert main[0] == other[0]
    assert main[1].public_key() == other[1].public_key()
    assert main[1].issuer != other[1].issuer


def test_a_wildcard_needs_dns_01_and_an_address_anything_else(client: AcmeClient) -> None:
    order = client.order("*.contoso.test", "127.0.0.1").json()
    wildcard, address = map(client.get, order["authorizations"])
    assert wildcard["identifier"]["value"] == "contoso.test"
    assert wildcard["wildcard"] is True
    assert [one["type"] for one in wildcard["challenges"]] == ["dns-01"]
    assert [one["type"] for one in address["challenges"]] == ["http-01", "tls-alpn-01"]


def test_a_name_that_the_template_does_not_allow_is_rejected_with_a_subproblem(client: AcmeClient) -> None:
    response = client.order("a.contoso.test", "evil.example")
    assert (response.status_code, _kind(response.json())) == (403, "rejectedIdentifier")
    (sub,) = response.json()["subproblems"]
    assert sub["identifier"] == {"type": "dns", "value": "evil.example"}


@pytest.mark.parametrize("name", ["", "-a.test", "a..test", "a b.test", "x" * 64, "*.*.test", "1.2.3.4"])
def test_an_invalid_host_name_is_rejected(client: AcmeClient, name: str) -> None:
    payload = {"identifiers": [{"type": "dns", "value": name}]}
    response = client.post(client.directory()["newOrder"], payload)
    assert (response.status_code, _kind(response.json())) == (400, "malformed")


def test_a_wrong_record_makes_challenge_and_order_invalid(
    client: AcmeClient, directories: Directories
) -> None:
    response = client.order("a.contoso.test")
    challenge = client.challenge(response.json()["authorizations"][0])
    directories.set_txt("_acme-challenge.a.contoso.test", "wrong")
    assert client.post(challenge["url"], {}).status_code == 200
    order = client.finished(response.headers["Location"], "pending")
    assert order["status"] == "invalid"
    assert _kind(order["error"]) == "unauthorized"
    assert client.finalize(order, "a.contoso.test").json()["type"].endswith("orderNotReady")


def test_a_request_must_name_exactly_the_identifiers(client: AcmeClient) -> None:
    _, order = client.ready("a.contoso.test")
    for names in (["b.contoso.test"], ["a.contoso.test", "b.contoso.test"]):
        response = client.finalize(order, *names)
        assert (response.status_code, _kind(response.json())) == (400, "badCSR")
    assert client.finalize(order, "a.contoso.test").json()["status"] == "valid"


def test_a_request_without_a_subject_can_be_repeated(client: AcmeClient) -> None:
    """certbot sends none: the common name must be the first identifier, not the stored name."""
    for _ in range(2):
        _, order = client.ready("a.contoso.test")
        csr = request("", ["a.contoso.test"], encoding=Encoding.DER)
        response = client.post(order["finalize"], {"csr": b64(csr)})
        assert response.status_code == 200, response.text
        leaf = x509.load_pem_x509_certificate(client.post(response.json()["certificate"]).content)
        assert leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == "a.contoso.test"


def test_neither_the_account_key_nor_a_false_signature_gets_a_certificate(client: AcmeClient) -> None:
    _, order = client.ready("a.contoso.test")
    assert "key of the account" in client.finalize(order, "a.contoso.test", key=client.key).text
    csr = bytearray(request("a.contoso.test", ["a.contoso.test"], encoding=Encoding.DER))
    csr[-1] ^= 1
    response = client.post(order["finalize"], {"csr": b64(bytes(csr))})
    assert (response.status_code, _kind(response.json())) == (400, "badCSR")


def test_the_list_of_orders_has_pages(client: AcmeClient) -> None:
    orders = [client.order("a.contoso.test").headers["Location"] for _ in range(101)]
    url = client.get(client.kid)["orders"]
    first = client.post(url)
    assert first.json()["orders"] == orders[:100]
    following = first.headers["Link"].split('rel="index", <')[1].split(">")[0]
    assert client.get(following)["orders"] == orders[100:]


def test_a_deactivated_authorization_ends_the_order(client: AcmeClient) -> None:
    url, order = client.ready("a.contoso.test")
    assert (
        client.post(order["authorizations"][0], {"status": "deactivated"}).json()["status"] == "deactivated"
    )
    assert client.get(url)["status"] == "invalid"


def test_orders_and_certificates_survive_a_restart(start: Callable[..., Directories]) -> None:
    before = start()
    client = before.client()
    url, order = client.ready("a.contoso.test")
    pending = client.order("b.contoso.test")
    client.http, client.nonce = start().http, ""
    assert client.get(url)["status"] == "ready"
    assert client.get(pending.headers["Location"])["status"] == "pending"
    certificate = client.finalize(order, "a.contoso.test").json()["certificate"]
    client.http, client.nonce = start().http, ""
    assert client.post(certificate).content.startswith(b"-----BEGIN CERTIFICATE-----")


def test_another_account_sees_nothing(client: AcmeClient, directories: Directories) -> None:
    url, order = client.ready("a.contoso.test")
    certificate = client.finalize(order, "a.contoso.test").json()["certificate"]
    other = directories.client()
    for one in (url, order["authorizations"][0], certificate, order["finalize"]):
        assert other.post(one).status_code in (400, 404), one


def test_a_profile_selects_the_template(client: AcmeClient) -> None:
    assert set(client.directory()["meta"]["profiles"]) == {"sensors", "short"}
    pem = client.issue("a.contoso.test", profile="short")
    leaf = x509.load_pem_x509_certificate(pem)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 6
    response = client.order("a.contoso.test", profile="members")
    assert _kind(response.json()) == "invalidProfile"
