"""EST as a client sees it: certificates, status codes and encodings."""

from __future__ import annotations

import base64
import email
from email.message import Message

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, pkcs7
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pkigen.enrolment.est.authentication import authenticate
from pkigen.enrolment.est.messages import NotBase64, decoded
from pkigen.enrolment.rate_limits import ClientLimits
from pkigen.environment.enrol import Enroller
from pkigen.environment.environment import open_environment
from pkigen.environment.revoke import revoke
from pkigen.keys import PrivateKey, load_private
from pkigen.profile.enrolment import EstSettings
from pkigen.store import Store
from tests.certification_requests import request
from tests.enrolment.conftest import Lab
from tests.enrolment.est.requests import BASIC, OPEN, SENSORS, TYPE, csr, decoded_certificates


def _body(data: bytes) -> bytes:
    return base64.b64encode(data)


def _enroll(lab: Lab, data: bytes | None = None, path: str = f"{SENSORS}/simpleenroll") -> httpx.Response:
    content = _body(csr() if data is None else data)
    return lab.client().post(path, content=content, headers=TYPE, auth=BASIC)


@pytest.mark.parametrize("prefix", [SENSORS, "/est/sensors/.well-known/est", "/.well-known/est"])
def test_ca_certificates_of_the_template_at_each_url(lab: Lab, prefix: str) -> None:
    response = lab.client().get(f"{prefix}/cacerts")
    assert response.headers["content-type"] == "application/pkcs7-mime"
    subjects = {one.subject.rfc4514_string() for one in decoded_certificates(response)}
    assert subjects == {"CN=issuing,O=Contoso", "CN=root,O=Contoso"}


def test_an_enrolled_certificate_has_the_key_of_the_device_and_is_recorded(lab: Lab) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    response = _enroll(lab, csr(key=key))
    [certificate] = decoded_certificates(response)
    assert response.headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only"
    assert certificate.public_key() == key.public_key()
    lab.server.enroller.list_in_manifest()
    case = open_environment(lab.folder)["d.contoso.test"]
    assert case.data["enrolment"] | {"at": ""} == {
        "template": "sensors",
        "protocol": "est",
        "requester": "device",
        "at": "",
    }


@pytest.mark.parametrize("auth", [None, ("device", "wrong"), ("other", "wonderful"), ("device", "")])
def test_a_template_with_a_passphrase_requires_authentication(lab: Lab, auth: tuple[str, str] | None) -> None:
    client = lab.client()
    client.auth = httpx.Auth() if auth is None else httpx.BasicAuth(*auth)
    response = client.post(f"{SENSORS}/simpleenroll", content=_body(csr()), headers=TYPE)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Basic realm="EST"')
    assert not _enrolled_names(lab)


def test_a_template_with_a_user_and_no_passphrase_accepts_only_the_empty_one(enroller: Enroller) -> None:
    def authenticated(credentials: bytes) -> str:
        header = b"Basic " + base64.b64encode(credentials)
        scope = {"type": "http", "headers": [(b"authorization", header)], "client": ("127.0.0.1", 1)}
        settings = EstSettings(user="device")
        return authenticate(Request(scope), settings, enroller, ClientLimits()).name

    assert authenticated(b"device:") == "device"
    for wrong in (b"device:x", b"device:XX", b"other:"):
        with pytest.raises(HTTPException, match="401"):
            authenticated(wrong)


def _enrolled_names(lab: Lab) -> set[str]:
    with Store.open(lab.folder, write=False) as store:
        names = {one.partition("/")[2] for one in store.index.enrolled.ids()}
    return {one for one in names if not one.startswith("enrolment-")}


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic ZGV2aWNl", "Bearer x", "Basic \xff"])
def test_a_malformed_authorization_header_is_401(lab: Lab, header: str) -> None:
    headers = httpx.Headers({**TYPE, "Authorization": header}, encoding="latin-1")
    response = lab.client().post(f"{SENSORS}/simpleenroll", content=_body(csr()), headers=headers)
    assert response.status_code == 401


def test_a_template_without_a_passphrase_is_open(lab: Lab) -> None:
    response = lab.client().post(f"{OPEN}/simpleenroll", content=_body(csr()), headers=TYPE)
    assert len(decoded_certificates(response)) == 1


def test_white_space_and_a_transfer_encoding_in_a_request_do_not_matter(lab: Lab) -> None:
    lines = base64.encodebytes(csr()).replace(b"\n", b" \r\n\t")
    headers = {**TYPE, "Content-Transfer-Encoding": "binary"}
    response = lab.client().post(f"{OPEN}/simpleenroll", content=lines, headers=headers)
    assert len(decoded_certificates(response)) == 1


@pytest.mark.parametrize(
    ("path", "method", "content", "headers", "status", "words"),
    [
        ("simpleenroll", "POST", b"AAAA", {"Content-Type": "application/pkcs7"}, 415, "application/pkcs10"),
        ("simpleenroll", "POST", b"AAAA", TYPE, 400, "not a certification request"),
        ("simpleenroll", "POST", b"", TYPE, 400, "not a certification request"),
        ("simpleenroll", "POST", b"\x30\x82\xff", TYPE, 400, "not base64"),
        ("simpleenroll", "POST", request(), TYPE, 400, "is PEM"),
        ("simplereenroll", "POST", _body(csr()), TYPE, 403, "as the TLS client certificate"),
        ("simpleenroll", "GET", b"", {}, 405, "405"),
        ("cacerts", "POST", b"", {}, 405, "405"),
        ("fullcmc", "POST", b"", {}, 404, "404"),
    ],
)
def test_a_wrong_request_gets_its_status_and_the_reason(
    lab: Lab, path: str, method: str, content: bytes, headers: dict[str, str], status: int, words: str
) -> None:
    response = lab.client().request(method, f"{OPEN}/{path}", content=content, headers=headers)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/plain")
    assert words in response.text


def test_a_request_without_proof_of_possession_is_rejected(lab: Lab) -> None:
    damaged = bytearray(csr())
    damaged[-1] ^= 1
    response = _enroll(lab, bytes(damaged))
    assert (response.status_code, _enrolled_names(lab)) == (400, set())
    assert "has not proved that it has the key" in response.text


def test_a_name_that_is_not_allowed_is_rejected(lab: Lab) -> None:
    response = _enroll(lab, csr("d.evil.test"))
    assert (response.status_code, _enrolled_names(lab)) == (403, set())
    assert "the template allows *.contoso.test" in response.text


def _renewed(lab: Lab, data: bytes, certificate: bytes, key: PrivateKey) -> httpx.Response:
    client = lab.client(certificate, key)
    return client.post(f"{SENSORS}/simplereenroll", content=_body(data), headers=TYPE)


def _device(lab: Lab) -> tuple[bytes, PrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    [certificate] = decoded_certificates(_enroll(lab, csr(key=key)))
    return certificate.public_bytes(Encoding.DER), key


def test_a_device_renews_with_its_certificate_and_a_new_key(lab: Lab) -> None:
    certificate, key = _device(lab)
    new = ec.generate_private_key(ec.SECP256R1())
    [renewed] = decoded_certificates(_renewed(lab, csr(key=new), certificate, key))
    assert renewed.public_key() == new.public_key()
    assert renewed.serial_number != x509.load_der_x509_certificate(certificate).serial_number
    assert _enrolled_names(lab) == {"d.contoso.test"}


def test_a_device_that_did_not_receive_its_renewed_certificate_renews_again(lab: Lab) -> None:
    certificate, key = _device(lab)
    [lost] = decoded_certificates(_renewed(lab, csr(), certificate, key))
    [renewed] = decoded_certificates(_renewed(lab, csr(), certificate, key))
    assert renewed.serial_number != lost.serial_number
    assert _enrolled_names(lab) == {"d.contoso.test"}
    revoke(lab.folder, ["d.contoso.test"])
    response = _renewed(lab, csr(), certificate, key)
    assert (response.status_code, "that replaced the client certificate" in response.text) == (403, True)


def test_a_renewal_must_have_the_names_of_the_certificate(lab: Lab) -> None:
    certificate, key = _device(lab)
    other_subject = _renewed(lab, csr("e.contoso.test", key), certificate, key)
    other_names = _renewed(lab, request("d.contoso.test", [], key, Encoding.DER), certificate, key)
    assert (other_subject.status_code, other_names.status_code) == (400, 400)
    assert "it must be that of the certificate, 'CN=d.contoso.test'" in other_subject.text
    assert "must be those of the certificate: d.contoso.test" in other_names.text


@pytest.mark.parametrize("name", ["d.contoso.test", "revoked"])
def test_a_revoked_certificate_authenticates_nobody(lab: Lab, name: str) -> None:
    certificate, key = _device(lab)
    if name == "revoked":
        case = open_environment(lab.folder)[name]
        loaded = x509.load_pem_x509_certificate(case.certificate.read_bytes())
        certificate = loaded.public_bytes(Encoding.DER)
        key = load_private(_pkcs8(case.key.read_bytes()))
    else:
        revoke(lab.folder, (name,))
    response = _renewed(lab, csr(key=key), certificate, key)
    assert (response.status_code, response.text) == (403, "403 the client certificate is revoked\n")


def _pkcs8(data: bytes) -> bytes:
    return base64.b64decode(b"".join(data.splitlines()[1:-1]))


def test_csr_attributes_name_the_kind_of_key(lab: Lab) -> None:
    response = lab.client().get(f"{SENSORS}/csrattrs")
    assert response.headers["content-type"] == "application/csrattrs"
    # SEQUENCE { SEQUENCE { id-ecPublicKey, SET { secp384r1 } } }
    assert base64.b64decode(response.content).hex() == "3014301206072a8648ce3d0201310706052b81040022"


def test_without_csr_attributes_the_status_is_204(lab: Lab) -> None:
    response = lab.client().get(f"{OPEN}/csrattrs")
    assert (response.status_code, response.content) == (204, b"")


def _parts(response: httpx.Response) -> list[Message]:
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + response.content).get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def _content(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def test_server_side_key_generation_returns_a_key_and_its_certificate(lab: Lab) -> None:
    response = _enroll(lab, path=f"{SENSORS}/serverkeygen")
    assert response.headers["content-type"].startswith("multipart/mixed")
    first, second = _parts(response)
    assert [first.get_content_type(), second.get_content_type()] == [
        "application/pkcs8",
        "application/pkcs7-mime",
    ]
    key = load_der_private_key(bytes(first.get_payload(decode=True)), None)
    [certificate] = pkcs7.load_der_pkcs7_certificates(bytes(second.get_payload(decode=True)))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert certificate.public_key() == key.public_key()
    assert key.curve.name == "secp384r1"


@given(st.binary(max_size=200))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_decoded_or_rejected(body: bytes) -> None:
    try:
        decoded(body)
    except NotBase64:
        return
