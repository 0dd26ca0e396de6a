"""The CMP responder with messages that openssl writes: protection, transactions, malformed messages."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import BitString
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkigen.asn1 import der
from pkigen.enrolment.cmp import mac as macs
from pkigen.enrolment.cmp.messages import Body, Failure, Message, read_message
from pkigen.enrolment.cmp.responder import Responder
from pkigen.enrolment.cmp.structures import StatusInfo
from pkigen.enrolment.cmp.transaction import Transaction
from pkigen.enrolment.decode import Undecodable, decode
from pkigen.enrolment.faults import EnrolmentFaults, RequestFaults
from pkigen.enrolment.rate_limits import RateLimited
from pkigen.enrolment.transactions import MOST_TRANSACTIONS, Transactions
from pkigen.environment.enrol import Busy, Enroller
from pkigen.formats import pem
from tests.enrolment.cmp.conftest import Written
from tests.enrolment.cmp.written import device_key, first_message

pytestmark = pytest.mark.needs("openssl")
_ALGORITHM = (0, 4, 0)
_HMAC_SHA256 = der.sequence(der.oid("1.2.840.113549.2.9"), der.null())


def _failure(message: Message) -> tuple[str, Failure]:
    """Return the text and the failure of an error message, or of the only response of a CertRepMessage."""
    status = der.children(message.content)[0]
    if message.kind != Body.ERROR:
        status = der.children(der.children(status)[0])[1]
    info = decode(StatusInfo, status)
    assert isinstance(info.failure, BitString)
    assert info.texts
    number = int.from_bytes(info.failure.as_bytes(), "big") >> info.failure.padding_bits()
    assert number == 1
    bit = len(info.failure.as_bytes()) * 8 - info.failure.padding_bits() - 1
    return bytes(info.texts[0].data).decode(), Failure(bit)


def _with_header(message: bytes, position: int, element: bytes) -> bytes:
    """Return a message with a changed element of the header, and a matching MAC."""
    changed = der.edit(message, (0, position), lambda _: element)
    return _with_mac(changed, macs.read_mac(read_message(changed).header.protection_algorithm or []))


def _with_mac(message: bytes, mac: macs.Mac) -> bytes:
    value = mac.value(b"wonderful", read_message(message).protected_part)
    return der.edit(message, (2,), lambda _: der.explicit(0, der.bit_string(value)))


def test_pbmac1_protects_request_and_response(responder: Responder, written: Written) -> None:
    salt = b"0123456789abcdef"
    derivation = der.sequence(
        der.oid("1.2.840.113549.1.5.12"),
        der.sequence(der.octet_string(salt), der.integer(1000), der.integer(32), _HMAC_SHA256),
    )
    algorithm = der.sequence(der.oid("1.2.840.113549.1.5.14"), der.sequence(derivation, _HMAC_SHA256))
    message = der.edit(written("ir"), _ALGORITHM, lambda _: algorithm)
    key = hashlib.pbkdf2_hmac("sha256", b"wonderful", salt, 1000, 32)
    value = hmac.digest(key, read_message(message).protected_part, "sha256")
    request = der.edit(message, (2,), lambda _: der.explicit(0, der.bit_string(value)))
    response = read_message(responder.respond(request))
    assert response.kind == Body.IP
    fields = der.children(der.children(response.protected_part)[0])
    (encoded,) = der.children(fields[4])
    assert der.dotted(der.children(encoded)[0]) == "1.2.840.113549.1.5.14"
    used = der.contents(der.children(der.children(der.children(der.children(encoded)[1])[0])[1])[0])
    assert used != salt
    key = hashlib.pbkdf2_hmac("sha256", b"wonderful", used, 1000, 32)
    assert hmac.digest(key, response.protected_part, "sha256") == response.protection


@pytest.mark.parametrize(
    "derivation",
    [
        der.sequence(der.oid("1.2.840.113549.1.5.12")),
        der.sequence(der.oid("1.3.6.1.4.1.11591.4.11"), der.sequence()),
    ],
    ids=["no parameters", "scrypt"],
)
def test_pbmac1_with_another_derivation_is_rejected(
    responder: Responder, written: Written, derivation: bytes
) -> None:
    algorithm = der.sequence(der.oid("1.2.840.113549.1.5.14"), der.sequence(derivation, _HMAC_SHA256))
    message = der.edit(written("ir"), _ALGORITHM, lambda _: algorithm)
    text, failure = _failure(read_message(responder.respond(message)))
    assert (text, failure) == ("PBMAC1 without PBKDF2", Failure.BAD_ALG)


@pytest.mark.parametrize(("method", "kind"), [("-1", "no proof"), ("0", "a proof by raVerified")])
def test_a_request_without_a_signature_of_the_key_is_rejected(
    responder: Responder, written: Written, method: str, kind: str
) -> None:
    text, failure = _failure(read_message(responder.respond(written("ir", "-popo", method))))
    assert text == f"{kind} of possession; the server requires a signature with the key"
    assert failure == Failure.BAD_POP


def test_a_signature_needs_the_certificate_of_the_signer(
    responder: Responder, folder: Path, tmp_path: Path
) -> None:
    console = folder / "certificates" / "console" / "console"
    signer = ("-cert", console.with_suffix(".crt"), "-key", console.with_suffix(".key"))
    message = first_message(device_key(tmp_path), "ir", *signer)
    without = der.sequence(*der.children(message)[:3])
    text, failure = _failure(read_message(responder.respond(without)))
    assert text == "extraCerts must begin with the signer's certificate"
    assert failure == Failure.ADD_INFO_NOT_AVAILABLE
    assert read_message(responder.respond(message)).kind == Body.IP


def test_a_certificate_is_revoked_through_the_protocol(
    responder: Responder, written: Written, enroller: Enroller, tmp_path: Path
) -> None:
    responder.respond(written("ir"))
    enrolled = enroller.find(name="a.contoso.test")
    assert enrolled is not None
    path = tmp_path / "enrolled.crt"
    path.write_bytes(pem.certificate(enrolled.certificate))
    response = read_message(responder.respond(written("rr", "-oldcert", path, "-revreason", "1")))
    assert response.kind == Body.RP
    crl = x509.load_der_x509_crl(enroller.crl("issuing"))
    entry = crl.get_revoked_certificate_by_serial_number(enrolled.serial)
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value == "keyCompromise"


def test_a_general_message_is_answered(responder: Responder, written: Written) -> None:
    assert read_message(responder.respond(written("genm"))).kind == Body.GENP


def test_a_request_without_transaction_id_is_answered_with_an_error(
    responder: Responder, written: Written
) -> None:
    text, failure = _failure(read_message(responder.respond(_with_header(written("ir"), 6, b""))))
    assert (text, failure) == ("the header needs a transactionID", Failure.BAD_DATA_FORMAT)


def test_the_same_transaction_id_again_is_an_error(responder: Responder, written: Written) -> None:
    message = written("ir")
    assert read_message(responder.respond(message)).kind == Body.IP
    _, failure = _failure(read_message(responder.respond(message)))
    assert failure == Failure.TRANSACTION_ID_IN_USE


def test_a_wrong_proof_of_possession_is_rejected(
    responder: Responder, written: Written, enroller: Enroller
) -> None:
    message = written("ir")
    changed = der.edit(message, (1, 0, 0, 1, 1), lambda one: one[:-1] + bytes((one[-1] ^ 1,)))
    mac = macs.read_mac(read_message(changed).header.protection_algorithm or [])
    _, failure = _failure(read_message(responder.respond(_with_mac(changed, mac))))
    assert failure == Failure.BAD_POP
    assert enroller.find(name="a.contoso.test") is None


def test_a_request_that_meets_a_build_waits_and_polls(
    responder: Responder, written: Written, enroller: Enroller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy("a build is running")

    with monkeypatch.context() as patch:
        patch.setattr(enroller, "issue", busy)
        request = written("ir")
        response = read_message(responder.respond(request))
        status = der.children(der.children(der.children(response.content)[0])[0])[1]
        assert decode(StatusInfo, status).status == 3
        again = read_message(responder.respond(_poll(request, response)))
        assert again.kind == Body.POLLREP
    assert read_message(responder.respond(_poll(request, again))).kind == Body.IP


def _poll(request: bytes, response: Message) -> bytes:
    """Return a pollReq in the transaction of a request, which answers the last response."""
    body = der.explicit(Body.POLLREQ, der.sequence(der.sequence(der.integer(0))))
    nonce = response.header.sender_nonce or b""
    message = der.edit(request, (1,), lambda _: body)
    (info,) = [one for one in der.children(der.children(request)[0]) if one[0] == 0xA5]
    position = der.children(der.children(request)[0]).index(info)
    return _with_header(message, position, info + der.explicit(6, der.octet_string(nonce)))


def test_the_fault_of_a_template_is_in_the_certificate(enroller: Enroller, written: Written) -> None:
    broken = Responder(enroller.templates["broken"], enroller)
    response = read_message(broken.respond(written("ir", "-unprotected_requests", secret="")))
    assert response.kind == Body.IP
    enrolled = enroller.find(name="a.contoso.test")
    assert enrolled is not None
    assert enrolled.certificate in response.content
    assert enrolled.not_after < enroller.clock()


@pytest.mark.parametrize("iterations", [0, 100_001])
def test_a_mac_with_too_many_iterations_is_rejected(
    responder: Responder, written: Written, iterations: int
) -> None:
    message = der.edit(written("ir"), (0, 4, 0, 1, 2), lambda _: der.integer(iterations))
    _, failure = _failure(read_message(responder.respond(message)))
    assert failure == Failure.BAD_ALG


def test_too_many_transactions_end_the_oldest(responder: Responder) -> None:
    transactions = Transactions[Transaction]()
    for number in range(MOST_TRANSACTIONS + 5):
        assert transactions.add(bytes((number // 256, number % 256)), _transaction())
    assert transactions.get(b"\0\0") is None
    assert transactions.get(bytes((MOST_TRANSACTIONS // 256, MOST_TRANSACTIONS % 256))) is not None


def test_a_transaction_ends_after_its_time() -> None:
    now = [0.0]
    transactions = Transactions[Transaction](lambda: now[0])
    transactions.add(b"1", _transaction())
    now[0] = 299.0
    assert transactions.get(b"1") is not None
    now[0] = 300.0
    assert transactions.take(b"1") is None


def _transaction() -> Transaction:
    return Transaction(Body.IR, "", None, implicit_confirm=False)  # type: ignore[arg-type]


_NO_MESSAGES = [b"", b"\x30\x00", b"\x30\x80\x00\x00", b"GET / HTTP/1.0", b"\x30\x03\x02\x01\x01"]


@pytest.mark.parametrize("data", _NO_MESSAGES)
def test_data_that_is_no_cmp_message_is_undecodable(responder: Responder, data: bytes) -> None:
    with pytest.raises(Undecodable):
        responder.respond(data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_messages_are_answered_or_undecodable(
    responder: Responder, written: Written, data: st.DataObject
) -> None:
    message = bytearray(_messages(written)[data.draw(st.sampled_from(["ir", "genm"]))])
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(message) - 1))
        message[position] = data.draw(st.integers(0, 255))
    changed = bytes(message)
    with suppress(ValueError, IndexError):
        # With a matching MAC, so that the parser of the body is reached.
        changed = _with_mac(changed, macs.read_mac(read_message(changed).header.protection_algorithm or []))
    with suppress(Undecodable):
        read_message(responder.respond(changed))


_CACHE = dict[str, bytes]()


def _messages(written: Written) -> dict[str, bytes]:
    if not _CACHE:
        _CACHE.update(ir=written("ir", "-subject", "/CN=a.evil.test"), genm=written("genm"))
    return _CACHE


def test_a_client_that_guesses_the_secret_must_wait(responder: Responder, written: Written) -> None:
    faults = RequestFaults(EnrolmentFaults(), {"client": ("192.0.2.1", 4711)}, "sensors")
    guess = written("ir", secret="wrong")
    for _ in range(100):
        assert read_message(responder.respond(guess, faults)).kind == Body.ERROR
    with pytest.raises(RateLimited) as refused:
        responder.respond(written("ir"), faults)
    assert refused.value.status_code == 429
    assert refused.value.headers is not None
    assert int(refused.value.headers["Retry-After"]) > 0


def test_an_endless_object_identifier_is_answered_with_an_error(
    responder: Responder, written: Written
) -> None:
    oid = der.tlv(der.OID, b"\x81" * 20_000 + b"\x01")
    for path in ((0, 4, 0, 1, 1, 0), (0, 4, 0, 1, 3, 0), (0, 4, 0, 0)):
        message = der.edit(written("ir"), path, lambda _: oid)
        assert read_message(responder.respond(message)).kind == Body.ERROR


def test_a_version_of_thousands_of_digits_is_answered_with_an_error(
    responder: Responder, written: Written
) -> None:
    message = der.edit(written("ir"), (0, 0), lambda _: der.integer(1 << 20_000))
    assert _failure(read_message(responder.respond(message)))[1] == Failure.UNSUPPORTED_VERSION
