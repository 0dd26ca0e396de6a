"""What TLS requires around a handshake: OpenSSL, or Python with an edited ClientHello, is the client."""

from __future__ import annotations

import logging
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.keys.kinds import FIXED_KINDS
from pkigen.serve import serve_tls
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.codec import AlertDescription, Reader, extension, number, vector
from pkigen.serve.tls.handshake_signature import required_of_clients
from pkigen.serve.tls.session import Session
from tests.serve.conftest import Endpoints
from tests.serve.tls.test_tls_session import Client
from tests.serve.tls_clients import careless, curl, s_client
from tests.tools import run

_GROUPS, _POINT_FORMATS, _SCHEMES, _ALPN, _VERSIONS, _KEY_SHARE = 10, 11, 13, 16, 43, 51
_REQUEST = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_ACCEPTED = "This certificate has no fault."
_PROFILE = {
    "name": "schemes",
    "authorities": {"root": {"key": "ec-p256"}},
    "certificates": {
        kind: {"issuer": "root", "key": kind, "san": [f"dns:{kind}.test"]}
        for kind in (
            "rsa-2048",
            "ec-p224",
            "ec-p256",
            "ec-p521",
            "ec-brainpoolp256r1",
            "ed25519",
            "ml-dsa-65",
        )
    },
    "negatives": [{"of": "ec-p256", "faults": ["key-mldsa-leaf", "key-type-mismatch", "key-ec-p192"]}],
}


@pytest.fixture(scope="module")
def schemes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    environment = build(_PROFILE, tmp_path_factory.mktemp("schemes"))
    with serve_tls(environment.folder) as url:
        yield Endpoints(environment, int(url.rpartition(":")[2]))


def _hello(edit: Callable[[dict[int, bytes], list[int]], None], host: str, *, tls12: bool = False) -> bytes:
    """Return the ClientHello of Python's ssl with edited extensions and cipher suites."""
    context = careless()
    if tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    reader = Reader(Client(context, host).step(b"")[9:])
    head, session_id = reader.take(34), reader.vector(1)
    suites, compressions = list(reader.numbers(2)), reader.vector(1)
    inside, extensions = reader.entries(2), dict[int, bytes]()
    while inside.left:
        code = inside.number(2)
        extensions[code] = inside.vector(2)
    edit(extensions, suites)
    body = head + vector(session_id, 1) + vector(b"".join(number(one, 2) for one in suites), 2)
    rest = b"".join(extension(code, data) for code, data in extensions.items())
    body += vector(compressions, 1) + vector(rest, 2)
    message = b"\x01" + vector(body, 3)
    return b"\x16\x03\x01" + vector(message, 2)


def _drop(code: int) -> Callable[[dict[int, bytes], list[int]], None]:
    return lambda extensions, _suites: extensions.__delitem__(code)


def _set(code: int, data: bytes) -> Callable[[dict[int, bytes], list[int]], None]:
    return lambda extensions, _suites: extensions.update({code: data})


@pytest.mark.parametrize(
    ("edit", "tls12", "alert"),
    [
        (_drop(_KEY_SHARE), False, AlertDescription.MISSING_EXTENSION),
        (_drop(_GROUPS), False, AlertDescription.MISSING_EXTENSION),
        (_drop(_SCHEMES), False, AlertDescription.MISSING_EXTENSION),
        (_set(_ALPN, b"\0\x03\x02h2"), False, AlertDescription.NO_APPLICATION_PROTOCOL),
        (_set(_ALPN, b"\0\x03\x02h2"), True, AlertDescription.NO_APPLICATION_PROTOCOL),
        (_set(_ALPN, b"\0\0"), True, AlertDescription.DECODE_ERROR),
        (lambda _extensions, suites: suites.append(0x5600), True, AlertDescription.INAPPROPRIATE_FALLBACK),
        (_set(_POINT_FORMATS, b"\x01\x01"), True, AlertDescription.ILLEGAL_PARAMETER),
        (_set(_POINT_FORMATS, b"\0"), True, AlertDescription.DECODE_ERROR),
        (_set(_SCHEMES, b"\0\0"), True, AlertDescription.DECODE_ERROR),
        (_set(_SCHEMES, b"\0\x02\x08\x07\0"), True, AlertDescription.DECODE_ERROR),
        (_set(0, b"\0\0"), False, AlertDescription.DECODE_ERROR),
        (_set(0, b"\0\x0a\0\0\x02ab\0\0\x02cd"), False, AlertDescription.ILLEGAL_PARAMETER),
        (_set(_KEY_SHARE, b"\0\x26\0\x1d\0\x20" + bytes(34)), False, AlertDescription.DECODE_ERROR),
        (_set(0xFF01, b"\x01a"), True, AlertDescription.HANDSHAKE_FAILURE),
    ],
)
def test_the_alert_for_a_hello_states_the_problem(
    presented: Environment,
    edit: Callable[[dict[int, bytes], list[int]], None],
    tls12: bool,
    alert: AlertDescription,
) -> None:
    session = Session(CaseSelector(presented.folder).at("127.0.0.1"))
    answer = session.receive(_hello(edit, "sensor.contoso.test", tls12=tls12))
    assert (answer[-2:], session.outcome) == (
        bytes((2, alert)),
        f"aborted by the server: {alert.name.lower()}",
    )


@pytest.mark.parametrize("tls12", [False, True])
def test_a_client_that_offers_only_uncompressed_points_or_no_formats_is_served(
    presented: Environment, tls12: bool
) -> None:
    for edit in (_set(_POINT_FORMATS, b"\x01\0"), _drop(_POINT_FORMATS)):
        session = Session(CaseSelector(presented.folder).at("127.0.0.1"))
        answer = session.receive(_hello(edit, "sensor.contoso.test", tls12=tls12))
        assert answer[:1] == b"\x16", session.outcome


@pytest.mark.parametrize(
    ("host", "scheme"), [("sensor.contoso.test", 0x0203), ("console.contoso.test", 0x0201)]
)
def test_a_client_without_signature_algorithms_gets_sha_1(
    presented: Environment, host: str, scheme: int
) -> None:
    session = Session(CaseSelector(presented.folder).at("127.0.0.1"))
    records, messages = Reader(session.receive(_hello(_drop(_SCHEMES), host, tls12=True))), b""
    while records.left:
        records.take(3)
        messages += records.vector(2)
    reader = Reader(messages)
    bodies = dict[int, bytes]()
    while reader.left:
        kind = reader.number(1)
        bodies[kind] = reader.vector(3)
    key_exchange = Reader(bodies[12])
    key_exchange.take(3)
    key_exchange.vector(1)
    assert key_exchange.number(2) == scheme


def _record_types(data: bytes) -> list[int]:
    reader, types = Reader(data), list[int]()
    while reader.left:
        types.append(reader.number(1))
        reader.take(2)
        reader.vector(2)
    return types


def test_change_cipher_spec_follows_the_first_message_also_if_it_is_a_retry(presented: Environment) -> None:
    context = careless()
    context.set_ecdh_curve("secp384r1")
    client = Client(context)
    session = Session(CaseSelector(presented.folder).at("127.0.0.1"))
    retry = session.receive(_hello(_set(_KEY_SHARE, b"\0\0"), "sensor.contoso.test"))
    assert _record_types(retry) == [22, 20]
    direct = Session(CaseSelector(presented.folder).at("127.0.0.1")).receive(client.step(b""))
    assert _record_types(direct)[:3] == [22, 20, 23]


@contextmanager
def _interactive(endpoints: Endpoints, host: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    target = ("-connect", f"127.0.0.1:{endpoints.port}", "-servername", host)
    command = ("openssl", "s_client", *target, *options)
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, **streams) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(output)


def _type(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("command", ["k", "K"])
def test_openssl_may_update_its_keys_and_request_the_same(
    presented: Environment, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    with caplog.at_level(logging.INFO, "pkigen.serve.tls"), serve_tls(presented.folder) as url:
        endpoints = Endpoints(presented, int(url.rpartition(":")[2]))
        with _interactive(endpoints, "sensor.contoso.test") as client:
            _read_until(client, "Verify return code")
            _type(client, f"{command}\n")
            _read_until(client, "KEYUPDATE")
            client.communicate()
    # The close_notify of the client is already encrypted with the new key.
    assert caplog.messages[-1].endswith(" sensor: disconnected without a request")


@pytest.mark.needs("certtool")
def test_gnutls_gets_its_page_after_a_key_update(endpoints: Endpoints) -> None:
    command = ("gnutls-cli", "--insecure", "--inline-commands", "-d", "4")
    port = ("-p", str(endpoints.port), "127.0.0.1")
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen((*command, *port), text=True, **streams) as client:  # type: ignore[call-overload]
        _type(client, "^rekey^\n")
        _read_until(client, "received TLS 1.3 key update (0)")
        _type(client, _REQUEST)
        _read_until(client, _ACCEPTED)
        client.kill()


@pytest.mark.needs("openssl")
def test_renegotiation_is_rejected_with_its_alert(endpoints: Endpoints) -> None:
    with _interactive(endpoints, endpoints.host("sound"), "-tls1_2") as client:
        _read_until(client, "Verify return code")
        _type(client, "R\n")
        _read_until(client, "no renegotiation")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("options", [(), ("-groups", "ffdhe2048:P-256")])
def test_early_data_is_skipped(endpoints: Endpoints, tmp_path: Path, options: tuple[str, ...]) -> None:
    session, early = tmp_path / "session.pem", tmp_path / "early.txt"
    early.write_text("early\n" * 100)
    case = endpoints.case("sound")
    files = ("-cert", str(case.certificate), "-key", str(case.key))
    server = ("openssl", "s_server", "-accept", "127.0.0.1:0", *files, "-early_data")
    with subprocess.Popen(server, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        port = int(_read_until(process, "ACCEPT").strip().rpartition(":")[2])
        other = Endpoints(endpoints.environment, port)
        with _interactive(other, case.hosts[0], "-sess_out", str(session)) as client:
            # Text from the server follows its session tickets.
            _type(process, "done\n")
            _read_until(client, "done")
        process.kill()
    resume = ("-sess_in", str(session), "-early_data", str(early), *options)
    with _interactive(endpoints, case.hosts[0], *resume) as client:
        _read_until(client, "Early data was rejected")
        _type(client, _REQUEST)
        _read_until(client, _ACCEPTED)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ec-p521", ("-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256")),
        ("ed25519", ("-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256")),
        ("ml-dsa-65", ("-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256")),
        ("rsa-2048", ("-sigalgs", "ecdsa_secp256r1_sha256")),
    ],
)
def test_a_certificate_without_a_fault_uses_only_schemes_that_the_client_offers(
    schemes: Endpoints, name: str, options: tuple[str, ...], version: str
) -> None:
    groups = ("-groups", "P-256") if version == "-tls1_2" else ()
    result = s_client(schemes, f"{name}.test", version, *options, *groups)
    assert "alert handshake failure" in result.text


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_a_key_for_rsassa_pss_only_signs_with_its_own_schemes(tmp_path: Path, version: str) -> None:
    """RFC 8446, 4.2.3."""
    profile = {
        "name": "pss",
        "authorities": {"root": {"key": "ec-p256"}},
        "certificates": {"sensor": {"issuer": "root", "key": "ec-p256", "san": ["dns:sensor.test"]}},
    }
    environment = build(profile, tmp_path)
    certificate, key = environment["sensor"].certificate, environment["sensor"].key
    assert key is not None
    names = ("-subj", "/CN=sensor.test", "-addext", "subjectAltName=DNS:sensor.test")
    run(
        "openssl", "req", "-x509", "-newkey", "rsa-pss", "-nodes", *names, "-keyout", key, "-out", certificate
    )
    with serve_tls(environment.folder) as url:
        endpoints = Endpoints(environment, int(url.rpartition(":")[2]))
        schemes = "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256"
        options = (version, "-CAfile", str(certificate), "-sigalgs")
        assert "alert handshake failure" in s_client(endpoints, "sensor.test", *options, schemes).text
        result = s_client(endpoints, "sensor.test", *options, f"{schemes}:rsa_pss_pss_sha384")
    assert "Verification: OK" in result.text
    assert "Hash used: SHA384" in result.text
    # OpenSSL 3.5 prints the name of the scheme.
    assert re.search("^Signature type: (RSA-PSS|rsa_pss_pss_sha384)$", result.text, re.MULTILINE)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", ["key-mldsa-leaf", "key-type-mismatch", "key-ec-p192"])
def test_a_fault_of_the_key_is_presented_to_every_client(schemes: Endpoints, fault: str) -> None:
    case = schemes.environment[f"ec-p256.{fault}"]
    text = s_client(schemes, case.hosts[0], "-msg", "-sigalgs", "ecdsa_secp256r1_sha256").text
    assert "Handshake [length" in text
    assert ", Certificate\n" in text
    assert {"url": "tls", "how": "unoffered-scheme", "argument": ""} in case.data["serving"]


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("name", ["ec-p224", "ec-brainpoolp256r1"])
def test_a_curve_that_rfc_8446_omits_is_used_in_tls_1_2(schemes: Endpoints, name: str) -> None:
    groups = {"ec-p224": "P-256:P-224", "ec-brainpoolp256r1": "P-256:brainpoolP256r1"}
    # OpenSSL 3.5 also offers the TLS 1.3 schemes of RFC 8734; TLS 1.2 needs only the hash.
    options = ("-sigalgs", "ecdsa_secp256r1_sha256", "-cipher", "ALL:@SECLEVEL=1")
    result = s_client(schemes, f"{name}.test", "-groups", groups[name], *options)
    assert "Protocol version: TLSv1.2" in result.text
    assert "Verification: OK" in result.text
    without = s_client(schemes, f"{name}.test", "-groups", "P-256", *options)
    assert "alert handshake failure" in without.text


@pytest.mark.needs("curl")
def test_the_case_page_states_what_a_client_must_support(schemes: Endpoints) -> None:
    case = schemes.environment["ec-p521"]
    page = curl(schemes, case, case.hosts[0]).text
    assert "Key: ec-p521; clients must support the signature scheme ecdsa_secp521r1_sha512" in page


@pytest.mark.parametrize("kind", [*FIXED_KINDS, "rsa-2048", "unknown-kind"])
def test_every_key_kind_states_what_clients_must_support(kind: str) -> None:
    assert required_of_clients(kind)
