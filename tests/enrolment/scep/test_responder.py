"""The SCEP responder with messages of a test client; openssl decrypts its responses."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkigen.asn1 import der
from pkigen.clock import utc_now
from pkigen.enrolment.decode import Undecodable
from pkigen.enrolment.faults import EnrolmentFaults, RequestFaults
from pkigen.enrolment.scep import cms
from pkigen.enrolment.scep.responder import Responder
from pkigen.environment.enrol import Busy, Enroller
from pkigen.x509 import Certificate
from tests.enrolment.scep.client import VERISIGN, Device

pytestmark = pytest.mark.needs("openssl")
_DER = Encoding.DER


@pytest.fixture
def responder(enroller: Enroller) -> Responder:
    return Responder(enroller.templates["sensors"], enroller)


@pytest.fixture(scope="session")
def device() -> Device:
    return Device("a.contoso.test")


def _status(response: bytes) -> tuple[str, str]:
    """Return the pkiStatus and the failInfo of a response."""
    attributes = cms.read_signed(response).attributes
    values = (attributes.get(VERISIGN + number, b"") for number in ("3", "4"))
    status, failure = (der.contents(one).decode() if one else "" for one in values)
    return status, failure


def _enrolled(response: bytes, device: Device, folder: Path) -> list[x509.Certificate]:
    assert _status(response) == ("0", "")
    return device.decrypted(cms.read_signed(response).content, folder)


@pytest.mark.parametrize("cipher", [cms.AES_128, cms.AES_192, cms.AES_256, cms.TRIPLE_DES])
def test_a_device_gets_a_certificate_with_each_cipher(
    responder: Responder, device: Device, tmp_path: Path, cipher: cms.ContentCipher
) -> None:
    message = device.message(responder.ca_certificates()[0], device.request(), cipher=cipher)
    certificate, issuer = _enrolled(responder.respond(message), device, tmp_path)
    certificate.verify_directly_issued_by(issuer)
    assert certificate.public_key() == device.key.public_key()


@pytest.mark.parametrize("digest", ["sha1", "sha512"])
def test_the_response_has_the_digest_of_the_request(
    responder: Responder, device: Device, digest: str
) -> None:
    message = device.message(responder.ca_certificates()[0], device.request(), digest=digest)
    assert cms.read_signed(responder.respond(message)).digest == digest


def test_the_response_repeats_transaction_and_nonce(responder: Responder, device: Device) -> None:
    message = device.message(responder.ca_certificates()[0], device.request())
    attributes = cms.read_signed(responder.respond(message)).attributes
    assert der.contents(attributes[VERISIGN + "7"]) == b"transaction-a.contoso.test"
    assert der.contents(attributes[VERISIGN + "6"]) == b"0123456789abcdef"


def test_a_ca_whose_key_signs_and_decrypts_needs_no_ra(
    enroller: Enroller, device: Device, tmp_path: Path
) -> None:
    direct = Responder(enroller.templates["direct"], enroller)
    certificates = direct.ca_certificates()
    assert certificates == enroller.chain("signing")
    response = direct.respond(device.message(certificates[0], device.request(None)))
    assert _enrolled(response, device, tmp_path)


@pytest.mark.parametrize("challenge", [None, "wrong"])
def test_a_wrong_challenge_password_is_a_bad_request(
    responder: Responder, device: Device, challenge: str | None
) -> None:
    message = device.message(responder.ca_certificates()[0], device.request(challenge))
    assert _status(responder.respond(message)) == ("2", "2")


def test_a_name_that_is_not_allowed_is_a_bad_request(responder: Responder, enroller: Enroller) -> None:
    evil = Device("a.evil.test")
    message = evil.message(responder.ca_certificates()[0], evil.request())
    assert _status(responder.respond(message)) == ("2", "2")
    assert enroller.find(name="a.evil.test") is None


def test_a_renewal_is_signed_with_the_certificate_and_needs_no_challenge(
    responder: Responder, device: Device, enroller: Enroller, tmp_path: Path
) -> None:
    ca = responder.ca_certificates()[0]
    first = _enrolled(responder.respond(device.message(ca, device.request())), device, tmp_path)[0]
    signer = (first.public_bytes(_DER), device.key)
    renewed = Device("a.contoso.test")
    message = renewed.message(ca, renewed.request(None), 17, signer=signer)
    assert _status(responder.respond(message)) == ("0", "")
    enrolled = enroller.find(name="a.contoso.test")
    assert enrolled is not None
    assert enrolled.serial != first.serial_number
    assert _status(responder.respond(message)) == ("0", "")  # the device did not receive the response
    enrolled = enroller.find(name="a.contoso.test")
    assert enrolled is not None
    enroller.revoke(enrolled, "keyCompromise")
    assert _status(responder.respond(message)) == ("2", "1")
    signer = (enrolled.certificate, renewed.key)
    assert _status(responder.respond(renewed.message(ca, renewed.request(None), 17, signer=signer))) == (
        "2",
        "1",
    )


def test_a_renewal_without_a_certificate_of_the_environment_fails(
    responder: Responder, device: Device
) -> None:
    message = device.message(responder.ca_certificates()[0], device.request(), 17)
    assert _status(responder.respond(message)) == ("2", "1")


def test_a_request_that_meets_a_build_is_pending_until_it_ends(
    responder: Responder, device: Device, enroller: Enroller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy("a build is running")

    ca = responder.ca_certificates()[0]
    issuer = Certificate(enroller.chain("issuing")[0]).subject_der
    poll = device.message(ca, der.sequence(issuer, Certificate(device.certificate).subject_der), 20)
    assert _status(responder.respond(poll)) == ("2", "4")
    with monkeypatch.context() as patch:
        patch.setattr(enroller, "issue", busy)
        assert _status(responder.respond(device.message(ca, device.request()))) == ("3", "")
        assert _status(responder.respond(poll)) == ("3", "")
    first = _enrolled(responder.respond(poll), device, tmp_path)
    assert _enrolled(responder.respond(poll), device, tmp_path) == first


def test_get_cert_and_get_crl(
    responder: Responder, device: Device, enroller: Enroller, tmp_path: Path
) -> None:
    ca = responder.ca_certificates()[0]
    (first, _) = _enrolled(responder.respond(device.message(ca, device.request())), device, tmp_path)
    issuer = Certificate(enroller.chain("issuing")[0]).subject_der
    named = der.sequence(issuer, der.integer(first.serial_number))
    assert _enrolled(responder.respond(device.message(ca, named, 21)), device, tmp_path) == [first]
    response = responder.respond(device.message(ca, named, 22))
    assert _status(response) == ("0", "")
    unknown = der.sequence(issuer, der.integer(1))
    assert _status(responder.respond(device.message(ca, unknown, 21))) == ("2", "4")


def test_the_fault_of_a_template_is_in_the_certificate(
    enroller: Enroller, device: Device, tmp_path: Path
) -> None:
    broken = Responder(enroller.templates["broken"], enroller)
    message = device.message(broken.ca_certificates()[0], device.request(None))
    certificate, _ = _enrolled(broken.respond(message), device, tmp_path)
    assert certificate.not_valid_after_utc < utc_now()


def _with(own_id: str) -> RequestFaults:
    faults = EnrolmentFaults()
    faults.put({own_id: {"identifier": "a.contoso.test"}})
    return RequestFaults(faults, {}, "sensors")


def test_a_fault_breaks_the_link_between_response_and_request(responder: Responder, device: Device) -> None:
    message = device.message(responder.ca_certificates()[0], device.request())
    changed = cms.read_signed(responder.respond(message, _with("scep-wrong-nonce"))).attributes
    assert der.contents(changed[VERISIGN + "6"]) == bytes(16)
    assert der.contents(changed[VERISIGN + "7"]) == b"transaction-a.contoso.test"
    changed = cms.read_signed(responder.respond(message, _with("scep-wrong-transaction"))).attributes
    assert der.contents(changed[VERISIGN + "6"]) == b"0123456789abcdef"
    assert der.contents(changed[VERISIGN + "7"]) != b"transaction-a.contoso.test"


def test_an_ra_with_exchanged_key_usages_answers_what_is_encrypted_to_either(
    responder: Responder, enroller: Enroller, device: Device, tmp_path: Path
) -> None:
    faults = EnrolmentFaults()
    faults.put("scep-ra-wrong-usage")
    encryption, signing, *_ = responder.ca_certificates(RequestFaults(faults, {}, "sensors"))
    usages = [Certificate(one).extensions.key_usage for one in (encryption, signing)]
    assert usages == [("digitalSignature",), ("keyEncipherment",)]
    restarted = Responder(enroller.templates["sensors"], enroller)
    for recipient in (encryption, signing):
        response = restarted.respond(device.message(recipient, device.request()))
        assert _enrolled(response, device, tmp_path)
        assert cms.read_signed(response).signer.der == signing


def test_a_fault_encrypts_the_response_with_des(responder: Responder, device: Device, tmp_path: Path) -> None:
    message = device.message(responder.ca_certificates()[0], device.request())
    enveloped = cms.read_signed(responder.respond(message, _with("scep-des"))).content
    assert der.oid("1.3.14.3.2.7") in enveloped
    # DES is in the legacy provider of OpenSSL.
    assert device.decrypted(enveloped, tmp_path, "-provider", "legacy", "-provider", "default")


def test_a_message_with_changed_content_is_rejected(responder: Responder, device: Device) -> None:
    message = device.message(responder.ca_certificates()[0], device.request())
    position = len(message) // 4
    changed = message[:position] + bytes((message[position] ^ 1,)) + message[position + 1 :]
    with pytest.raises((cms.BadSignature, Undecodable)):
        responder.respond(changed)


def test_content_that_is_encrypted_to_another_certificate_fails(responder: Responder, device: Device) -> None:
    message = device.message(device.certificate, device.request())
    assert _status(responder.respond(message)) == ("2", "1")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_messages_are_answered_or_rejected(
    responder: Responder, device: Device, data: st.DataObject
) -> None:
    ca = responder.ca_certificates()[0]
    if data.draw(st.booleans()):
        message = _mutated(device.message(ca, device.request("wrong")), data)
    else:
        message = device.message(ca, _mutated(device.request("wrong"), data), data.draw(st.integers(15, 23)))
    with suppress(Undecodable, cms.BadSignature):
        cms.read_signed(responder.respond(message))


def _mutated(message: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    return bytes(changed)


_NO_MESSAGES = [b"", b"\x30\x00", b"\x30\x80\x00\x00", b"<html>", b"\x30\x84\xff\xff\xff\xff"]


@pytest.mark.parametrize("data", _NO_MESSAGES)
def test_data_that_is_no_message_is_undecodable(responder: Responder, data: bytes) -> None:
    with pytest.raises(Undecodable):
        responder.respond(data)
