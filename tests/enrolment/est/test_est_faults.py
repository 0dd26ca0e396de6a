"""Each fault of EST, as a client receives it."""

from __future__ import annotations

import base64

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.enrolment.conftest import Lab
from tests.enrolment.est.requests import BASIC, OPEN, SENSORS, TYPE, csr, decoded_certificates


def _enroll(lab: Lab, operation: str = "simpleenroll", content: bytes | None = None) -> httpx.Response:
    body = base64.b64encode(csr()) if content is None else content
    return lab.client().post(f"{SENSORS}/{operation}", content=body, headers=TYPE, auth=BASIC)


def test_raw_der_is_the_structure_itself(lab: Lab) -> None:
    lab.server.fault(id="est-raw-der", times=1)
    response = _enroll(lab)
    assert response.headers["content-transfer-encoding"] == "binary"
    assert len(pkcs7.load_der_pkcs7_certificates(response.content)) == 1
    assert len(decoded_certificates(_enroll(lab))) == 1


def test_the_transfer_encoding_is_missing_or_another_one(lab: Lab) -> None:
    lab.server.fault(id="est-transfer-encoding-missing", endpoint="cacerts")
    assert "content-transfer-encoding" not in lab.client().get(f"{SENSORS}/cacerts").headers
    lab.server.clear()
    lab.server.fault(id="est-transfer-encoding", value="8bit")
    assert lab.client().get(f"{SENSORS}/cacerts").headers["content-transfer-encoding"] == "8bit"


def test_lines_end_as_requested(lab: Lab) -> None:
    for ending, expected in (("crlf", b"\r\n"), ("lf", b"\n"), ("cr", b"\r")):
        lab.server.fault(id="est-line-endings", ending=ending)
        lines = lab.client().get(f"{SENSORS}/cacerts").content.split(expected)
        assert {len(line) for line in lines[:-2]} == {64}


def test_the_content_type_is_another_one(lab: Lab) -> None:
    lab.server.fault(id="est-content-type", value="application/json")
    assert lab.client().get(f"{SENSORS}/cacerts").headers["content-type"] == "application/json"


def test_csr_attributes_are_empty_missing_or_require_a_challenge_password(lab: Lab) -> None:
    client, url = lab.client(), f"{SENSORS}/csrattrs"
    lab.server.fault(id="est-csrattrs-empty", times=1)
    assert base64.b64decode(client.get(url).content) == b"\x30\x00"
    lab.server.fault(id="est-csrattrs-not-found", times=1)
    assert client.get(url).status_code == 404
    lab.server.fault(id="est-csrattrs-challenge-password", times=1)
    challenge_password = bytes.fromhex("06092a864886f70d010907")
    assert challenge_password in base64.b64decode(client.get(url).content)
    assert challenge_password not in base64.b64decode(client.get(url).content)


def test_a_pending_request_is_granted_after_the_given_number_of_polls(lab: Lab) -> None:
    lab.server.fault(id="est-pending", times=2, after="7s", identifier="d.contoso.test")
    body = base64.b64encode(csr())
    responses = [_enroll(lab, content=body) for _ in range(3)]
    assert [one.status_code for one in responses] == [202, 202, 200]
    assert [one.headers.get("retry-after") for one in responses] == ["7", "7", None]


def test_a_pending_request_without_a_time(lab: Lab) -> None:
    lab.server.fault(id="est-pending-without-time")
    response = _enroll(lab)
    assert (response.status_code, response.headers.get("retry-after")) == (202, None)


def test_the_server_is_unavailable_for_one_operation(lab: Lab) -> None:
    lab.server.fault(id="est-unavailable", endpoint="cacerts", after="3s")
    response = lab.client().get(f"{SENSORS}/cacerts")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")
    assert lab.client().get(f"{SENSORS}/csrattrs").status_code == 200


def test_ca_certificates_without_the_root(lab: Lab) -> None:
    lab.server.fault(id="est-cacerts-without-root", template="sensors")
    [issuing] = decoded_certificates(lab.client().get(f"{SENSORS}/cacerts"))
    assert issuing.subject.rfc4514_string() == "CN=issuing,O=Contoso"
    assert len(decoded_certificates(lab.client().get(f"{OPEN}/cacerts"))) == 2


@pytest.mark.filterwarnings("ignore:PKCS#7")  # not in the order of DER, so that the issued one is the last
def test_the_issued_certificate_is_the_last_of_several(lab: Lab) -> None:
    lab.server.fault(id="est-extra-certificates")
    subjects = [one.subject.rfc4514_string() for one in decoded_certificates(_enroll(lab))]
    assert subjects == ["CN=issuing,O=Contoso", "CN=root,O=Contoso", "CN=d.contoso.test"]


def test_the_parts_of_server_side_key_generation_are_swapped(lab: Lab) -> None:
    lab.server.fault(id="est-keygen-parts-swapped")
    content = _enroll(lab, "serverkeygen").content
    assert content.index(b"application/pkcs7-mime") < content.index(b"application/pkcs8")


def test_the_proof_of_possession_is_not_checked(lab: Lab) -> None:
    damaged = bytearray(csr())
    damaged[-1] ^= 1
    body = base64.b64encode(damaged)
    assert _enroll(lab, content=body).status_code == 400
    lab.server.fault(id="est-possession-unchecked")
    assert len(decoded_certificates(_enroll(lab, content=body))) == 1


def test_a_fault_of_the_catalog_is_in_the_issued_certificate(lab: Lab) -> None:
    lab.server.fault(id="expired", times=1)
    [certificate] = decoded_certificates(_enroll(lab))
    assert isinstance(certificate, x509.Certificate)
    assert certificate.not_valid_after_utc < lab.server.enroller.clock()
    [sound] = decoded_certificates(_enroll(lab))
    assert sound.not_valid_after_utc > lab.server.enroller.clock()


def test_requests_are_listed_with_their_faults(lab: Lab) -> None:
    lab.server.fault(id="est-raw-der")
    lab.client().get(f"{SENSORS}/cacerts")
    [request] = lab.server.requests(wait=10)
    assert (request.path, request.status, request.fault) == (f"{SENSORS}/cacerts", 200, "est-raw-der")
