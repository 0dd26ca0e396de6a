"""Accounts, authentication of requests, revocation and renewal information."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.enrolment.acme.jose import encode, jwk_of
from pkigen.enrolment.acme.renewal import renewal_id
from tests.enrolment.acme.client import AcmeClient, b64, bind, sign
from tests.enrolment.acme.conftest import Directories


def _kind(document: dict[str, object]) -> str:
    return str(document["type"]).removeprefix("urn:ietf:params:acme:error:")


def _der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_an_account_is_created_once_for_a_key(client: AcmeClient) -> None:
    kid, client.kid = client.kid, ""
    again = client.register(onlyReturnExisting=True)
    assert (again.status_code, again.headers["Location"]) == (200, kid)
    client.kid, client.key = "", ec.generate_private_key(ec.SECP256R1())
    assert _kind(client.register(onlyReturnExisting=True).json()) == "accountDoesNotExist"


def test_contacts_are_updated_and_invalid_ones_rejected(client: AcmeClient) -> None:
    data = client.post(client.kid, {"contact": ["mailto:a@contoso.test"]}).json()
    assert data["contact"] == ["mailto:a@contoso.test"]
    assert _kind(client.post(client.kid, {"contact": ["tel:1"]}).json()) == "unsupportedContact"
    assert _kind(client.post(client.kid, {"contact": ["mailto:a,b"]}).json()) == "invalidContact"


def test_a_deactivated_account_can_do_nothing(client: AcmeClient) -> None:
    assert _kind(client.post(client.kid, {"status": "revoked"}).json()) == "malformed"
    assert client.post(client.kid, {"status": "valid"}).json()["status"] == "valid"
    assert client.post(client.kid, {"status": "deactivated"}).json()["status"] == "deactivated"
    response = client.order("a.contoso.test")
    assert (response.status_code, _kind(response.json())) == (401, "unauthorized")


def test_the_key_of_an_account_is_replaced(client: AcmeClient) -> None:
    url = client.directory()["keyChange"]
    new = ec.generate_private_key(ec.SECP256R1())
    payload = {"account": client.kid, "oldKey": client.jwk}
    inner = sign(new, {"jwk": jwk_of(new.public_key()), "url": url}, payload)
    assert client.post(url, inner).status_code == 200
    assert client.post(client.kid).status_code == 400  # signed with the old key
    client.key = new
    assert client.get(client.kid)["status"] == "valid"


def test_an_external_account_needs_the_right_key(directories: Directories) -> None:
    client = directories.client("members", register=False)
    assert client.directory()["meta"]["externalAccountRequired"] is True
    assert _kind(client.register().json()) == "externalAccountRequired"
    url = client.directory()["newAccount"]
    wrong = bind(client.jwk, "lab", b"wrong", url)
    assert _kind(client.register(externalAccountBinding=wrong).json()) == "unauthorized"
    unknown = bind(client.jwk, "none", b"secret-secret", url)
    assert _kind(client.register(externalAccountBinding=unknown).json()) == "unauthorized"
    # In the profile is the key as clients take it: base64url.
    right = bind(client.jwk, "lab", b"secret-secret", url)
    assert client.register(externalAccountBinding=right).status_code == 201


def test_a_nonce_works_once(client: AcmeClient) -> None:
    url, nonce = client.directory()["newOrder"], client.nonce
    assert client.post(url, {}, nonce=nonce).status_code == 400
    response = client.post(url, {}, nonce=nonce)
    assert (response.status_code, _kind(response.json())) == (400, "badNonce")
    assert response.headers["Replay-Nonce"]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ({"url": "https://acme.test/other"}, "unauthorized"),
        ({"alg": "none"}, "badSignatureAlgorithm"),
        ({"alg": "HS256"}, "badSignatureAlgorithm"),
        ({"alg": "RS256"}, "malformed"),
        ({"crit": ["b64"]}, "malformed"),
        ({"kid": "https://acme.test/acme/sensors/account/none"}, "accountDoesNotExist"),
        ({"kid": None}, "malformed"),
    ],
)
def test_an_unauthentic_request_is_rejected(client: AcmeClient, header: dict[str, object], kind: str) -> None:
    response = client.post(client.directory()["newOrder"], {"identifiers": []}, **header)
    assert _kind(response.json()) == kind
    assert response.status_code in (400, 403)


def test_an_error_names_the_parameter_that_must_name_the_key(client: AcmeClient) -> None:
    revoke, order = (client.directory()[name] for name in ("revokeCert", "newOrder"))
    both = client.post(revoke, {}, jwk=client.jwk, kid=client.kid)
    assert both.json()["detail"] == "the protected header must have either jwk or kid to name the key"
    other = client.post(order, {}, jwk=client.jwk)
    assert other.json()["detail"] == "the protected header must have kid to name the key"


def test_a_changed_payload_is_rejected(client: AcmeClient) -> None:
    url = client.directory()["newOrder"]
    client.nonce = client.http.head(client.directory()["newNonce"]).headers["Replay-Nonce"]
    message = sign(client.key, {"nonce": client.nonce, "url": url, "kid": client.kid}, {"identifiers": []})
    message["payload"] = b64({"identifiers": [{"type": "dns", "value": "a.contoso.test"}]})
    assert "signature does not verify" in client.send(url, message).json()["detail"]


def test_the_account_and_the_key_of_a_certificate_can_revoke_it(
    client: AcmeClient, directories: Directories
) -> None:
    url, key = client.directory()["revokeCert"], ec.generate_private_key(ec.SECP256R1())
    first, second = _der(client.issue("a.contoso.test")), _der(client.issue("b.contoso.test", key=key))
    stranger = directories.client()
    assert stranger.post(url, {"certificate": encode(first)}).status_code == 403
    assert (
        _kind(client.post(url, {"certificate": encode(first), "reason": 99}).json()) == "badRevocationReason"
    )
    for own in (stranger.key, client.key):  # the key of an account is not that of its certificates
        stranger.key = own
        refused = stranger.post(url, {"certificate": encode(second)}, jwk=jwk_of(own.public_key()))
        assert (refused.status_code, _kind(refused.json())) == (403, "unauthorized")
    assert client.post(url, {"certificate": encode(first), "reason": 1}).status_code == 200
    assert _kind(client.post(url, {"certificate": encode(first)}).json()) == "alreadyRevoked"
    client.key = key
    response = client.post(url, {"certificate": encode(second)}, jwk=jwk_of(key.public_key()))
    assert response.status_code == 200
    crl = x509.load_der_x509_crl(directories.enroller.crl("issuing"))
    serials = {x509.load_der_x509_certificate(one).serial_number for one in (first, second)}
    assert {entry.serial_number for entry in crl} >= serials


def _window(client: AcmeClient, der: bytes) -> tuple[datetime, datetime]:
    response = client.http.get(f"{client.directory()['renewalInfo']}/{renewal_id(der)}")
    assert response.headers["Retry-After"] == "21600"
    window = response.json()["suggestedWindow"]
    return datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])


def test_the_window_is_after_two_thirds_of_the_life_and_moves_with_the_server_clock(
    start: Callable[..., Directories],
) -> None:
    client = start().client()
    der = _der(client.issue("a.contoso.test"))
    now = datetime.now(UTC)
    begins, ends = _window(client, der)
    assert timedelta(days=59) < begins - now < timedelta(days=61) < ends - now < timedelta(days=69)
    # A client with the real clock sees the window open when the server's clock is ahead.
    client.http = start(timedelta(days=62)).http
    begins, ends = _window(client, der)
    assert begins < now < ends


def test_the_window_of_a_revoked_certificate_is_in_the_past(client: AcmeClient) -> None:
    der = _der(client.issue("a.contoso.test"))
    assert client.post(client.directory()["revokeCert"], {"certificate": encode(der)}).status_code == 200
    assert _window(client, der)[1] < datetime.now(UTC)


def test_a_certificate_is_replaced_once(client: AcmeClient, directories: Directories) -> None:
    der = _der(client.issue("a.contoso.test"))
    other = directories.client().order("a.contoso.test", replaces=renewal_id(der))
    assert (other.status_code, _kind(other.json())) == (403, "unauthorized")
    assert client.order("b.contoso.test", replaces=renewal_id(der)).status_code == 400
    client.issue("a.contoso.test", replaces=renewal_id(der))
    again = client.order("a.contoso.test", replaces=renewal_id(der))
    assert (again.status_code, _kind(again.json())) == (409, "alreadyReplaced")


def test_the_identifier_of_a_certificate_is_that_of_the_rfc() -> None:
    """RFC 9773, 4.1 and its appendix A: the serial number 87:65:43:21 has a leading zero."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example CA")])
    key_id = bytes.fromhex("69885b6b87462a5741e6fab8cc7ca57e8da5d7ce")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x87654321, now, now)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier(key_id, None, None), critical=False)
    certificate = builder.sign(key, SHA256())
    assert renewal_id(certificate.public_bytes(Encoding.DER)) == "aYhba4dGKldB5vq4zHylfo2l184.AIdlQyE"
