"""The handshake as a function of bytes, with Python's ssl as the client and without a socket."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from pkigen.environment.environment import Case, Environment
from pkigen.errors import InputError
from pkigen.keys import PrivateKey
from pkigen.keys.kinds import parse_kind
from pkigen.keys.slh_dsa import SlhDsaPrivateKey
from pkigen.keys.sources import FreshKeys
from pkigen.serve.tls import key_exchange
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.codec import AlertDescription
from pkigen.serve.tls.credential import Credential
from pkigen.serve.tls.handshake_signature import HandshakeSigner
from pkigen.serve.tls.session import Session
from tests.serve.tls_clients import careless

REQUEST = b"GET / HTTP/1.1\r\nHost: sensor\r\n\r\n"
Present = Callable[[str | None], Credential]


@pytest.fixture
def present(presented: Environment) -> Present:
    return CaseSelector(presented.folder).at("127.0.0.1")


class Client:
    """Python's ssl as a client of bytes."""

    def __init__(self, context: ssl.SSLContext, host: str = "sensor.contoso.test") -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=host)
        self.page = b""
        self._requested = False

    def step(self, octets: bytes) -> bytes:
        """Process input and return output."""
        self._in.write(octets)
        try:
            if not self._requested:
                self.tls.do_handshake()
                self.tls.write(REQUEST)
                self._requested = True
            while part := self.tls.read(4096):
                self.page += part
        except ssl.SSLWantReadError:
            pass
        return self._out.read()


def converse(session: Session, client: Client, size: int = 1 << 20, first: bytes = b"") -> bytes:
    """Run both until the session is done, with input in pieces of ``size``; return the output.

    ``first`` is output that the client has not received yet.
    """
    sent = b""
    octets = client.step(first)
    while octets:
        answer = b"".join(session.receive(octets[at : at + size]) for at in range(0, len(octets), size))
        sent += answer
        octets = client.step(answer)
    return sent


def _old(context: ssl.SSLContext, suites: str = "ALL:@SECLEVEL=0") -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suites)


@pytest.mark.parametrize(
    "suite",
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA",
    ],
)
def test_each_cipher_suite_of_tls_1_2_connects(present: Present, presented: Environment, suite: str) -> None:
    context = ssl.create_default_context(cafile=presented.trust)
    _old(context, suite)
    client, session = Client(context), Session(present)
    converse(session, client)
    assert client.page.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"This certificate has no fault." in client.page
    assert (client.tls.cipher() or ("",))[0] == suite
    assert session.outcome == "completed the TLS 1.2 handshake and sent the page"


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1", "secp521r1"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_each_curve_connects(present: Present, curve: str, version: str) -> None:
    context = careless()
    context.set_ecdh_curve(curve)
    if version == "1.2":
        _old(context)
    # Before TLS 1.3 the curves that a client names are those of certificates as well: this one's is RSA.
    client, session = Client(context, "console.contoso.test"), Session(present)
    converse(session, client)
    assert b"This certificate has no fault." in client.page
    assert session.outcome == f"completed the TLS {version} handshake and sent the page"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize(
    "kind", ["rsa-1024", "rsa-2048", "ec-p256", "ec-p384", "ec-p521", "ed25519", "ed448"]
)
def test_each_kind_of_key_connects(presented: Environment, kind: str, version: str) -> None:
    key = FreshKeys().generate(parse_kind(kind), "test")
    credential = Credential(presented["sensor"], (_self_signed(key),), HandshakeSigner(key))
    context = careless()
    context.set_ciphers("ALL:@SECLEVEL=0")
    if version == "1.2":
        _old(context)
    client = Client(context)
    converse(Session(lambda _name: credential), client)
    assert b"This certificate has no fault." in client.page


def _self_signed(key: PrivateKey) -> bytes:
    """A certificate that no client here looks at but for its key."""
    assert not isinstance(key, MLKEM768PrivateKey | X25519PrivateKey | SlhDsaPrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "any")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    digest = hashes.SHA256() if isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey) else None
    return builder.sign(key, digest).public_bytes(Encoding.DER)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_bytes_can_arrive_in_any_pieces(present: Present, size: int) -> None:
    for context in (careless(), careless()):
        client, session = Client(context), Session(present)
        converse(session, client, size)
        assert b"This certificate has no fault." in client.page
        assert session.done


def test_a_large_certificate_is_sent_in_several_records_up_to_the_limit(
    presented: Environment,
) -> None:
    prover = HandshakeSigner(FreshKeys().generate(parse_kind("ec-p256"), "test"))
    large = Credential(presented["sensor"], (bytes(80_000),), prover)
    assert len(Session(lambda _name: large).receive(Client(careless()).step(b""))) > 80_000
    too_large = Credential(presented["sensor"], (bytes(1 << 24),), prover)
    session = Session(lambda _name: too_large)
    session.receive(Client(careless()).step(b""))
    assert session.outcome == "server error: the certificates do not fit in a handshake"


def test_traffic_keys_are_those_of_rfc_8448() -> None:
    shared = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"
    schedule = key_exchange.KeySchedule.of("sha256", bytes.fromhex(shared))
    assert schedule.handshake.hex() == "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
    assert schedule.master.hex() == "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"


@pytest.mark.parametrize(
    ("octets", "alert"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", AlertDescription.UNEXPECTED_MESSAGE),
        (b"\x16\x03\x01\xff\xff", AlertDescription.RECORD_OVERFLOW),
        (b"\x16\x03\x01\x00\x00", AlertDescription.UNEXPECTED_MESSAGE),
        (b"\x17\x03\x03\x00\x01\x00", AlertDescription.UNEXPECTED_MESSAGE),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", AlertDescription.UNEXPECTED_MESSAGE),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", AlertDescription.DECODE_ERROR),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", AlertDescription.DECODE_ERROR),
    ],
)
def test_data_that_is_no_client_hello_gets_an_alert(
    present: Present, octets: bytes, alert: AlertDescription
) -> None:
    session = Session(present)
    assert session.receive(octets)[-2:] == bytes((2, alert))
    assert session.done
    assert session.outcome == f"aborted by the server: {alert.name.lower()}"


def test_a_client_without_a_common_parameter_is_rejected(present: Present) -> None:
    for modern, version in ((True, ssl.TLSVersion.TLSv1_3), (False, ssl.TLSVersion.TLSv1_2)):
        context = careless()
        context.minimum_version = context.maximum_version = version
        hello = bytearray(Client(context).step(b""))
        at = 5 + 4 + 2 + 32 + 1 + hello[5 + 4 + 2 + 32]
        size = int.from_bytes(hello[at : at + 2], "big")
        hello[at + 2 : at + 2 + size] = b"\x7f" * size
        session = Session(present)
        session.receive(bytes(hello))
        assert session.outcome == "aborted by the server: handshake_failure", modern


@pytest.mark.parametrize("seed", range(5))
def test_no_corrupted_byte_raises_an_exception(present: Present, seed: int) -> None:
    drawn = random.Random(seed)
    for _ in range(60):
        context = careless()
        if drawn.random() < 0.5:
            _old(context)
        client, session = Client(context), Session(present)
        octets, steps = client.step(b""), 0
        spoiled = drawn.randrange(3)
        while octets and not session.done:
            if steps == spoiled:
                broken = bytearray(octets)
                for _ in range(drawn.randrange(1, 4)):
                    broken[drawn.randrange(len(broken))] = drawn.randrange(256)
                octets = bytes(broken)
            answer = session.receive(octets)
            steps += 1
            try:
                octets = client.step(answer)
            except ssl.SSLError:
                break


def test_a_certificate_that_cannot_be_presented_is_an_internal_error_with_the_reason_in_the_log() -> None:
    def fail(_name: str | None) -> Credential:
        raise InputError("the file cannot be read")

    session = Session(fail)
    assert session.receive(Client(careless()).step(b""))[-2:] == bytes((2, AlertDescription.INTERNAL_ERROR))
    assert session.outcome == "server error: the file cannot be read"


@pytest.mark.parametrize(
    ("request_octets", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"405 Method Not Allowed"),
        (b"HEAD /any/path HTTP/1.1\r\nHost: x\r\n\r\n", b"200 OK"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000, b"431 "),
    ],
)
def test_requests_of_all_kinds_are_answered_once(
    present: Present, monkeypatch: pytest.MonkeyPatch, request_octets: bytes, status: bytes
) -> None:
    monkeypatch.setattr("tests.serve.tls.test_tls_session.REQUEST", request_octets)
    client, session = Client(careless()), Session(present)
    converse(session, client)
    assert client.page.startswith(b"HTTP/1.1 " + status)
    assert session.done
    if request_octets.startswith(b"HEAD"):
        assert client.page.endswith(b"\r\n\r\n")


def test_an_encrypted_key_without_its_passphrase_is_reported(presented: Environment) -> None:
    closed = CaseSelector(presented.folder).present("127.0.0.1", "vault.contoso.test")
    assert closed.note == "it is encrypted, and no passphrase was given; use --passphrase-file FILE"
    opened = CaseSelector(presented.folder, (b"open sesame",)).present("127.0.0.1", "vault.contoso.test")
    assert not opened.note
    client = Client(ssl.create_default_context(cafile=presented.trust), "vault.contoso.test")
    converse(Session(lambda _name: opened), client)
    assert b"This certificate has no fault." in client.page


def test_keys_are_not_part_of_representations(presented: Environment) -> None:
    text = repr(CaseSelector(presented.folder, (b"open sesame",)).present("127.0.0.1", "vault.contoso.test"))
    assert "PrivateKey" not in text
    assert "sesame" not in repr(CaseSelector(presented.folder, (b"open sesame",)))


def test_a_build_takes_effect_at_the_next_connection(
    presented: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkigen.files._COARSE_NANOSECONDS", 0)
    selector = CaseSelector(presented.folder)
    first = selector.cases()
    assert selector.cases() is first
    manifest = presented.folder / "manifest.json"
    manifest.touch()
    assert selector.cases() is not first


def test_the_default_case_does_not_serve_other_hosts(presented: Environment) -> None:
    cases = CaseSelector(presented.folder).cases()
    sensor = presented["sensor"]
    assert not set(cases.another(sensor).hosts) & set(sensor.hosts)
    alone = Case(presented.folder, sensor.data)
    assert type(cases).of((alone,)).another(alone) == alone
