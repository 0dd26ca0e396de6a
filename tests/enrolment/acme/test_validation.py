"""Challenges: what validates, and that no request makes the server connect to another address."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkigen.enrolment.acme.jose import encode
from pkigen.enrolment.acme.problems import Problem
from pkigen.enrolment.acme.validation import addresses, dns_01, http_01, tls_alpn_01
from pkigen.enrolment.dns import dns_server, query_txt, respond
from pkigen.profile.enrolment import AcmeSettings

_AUTHORIZATION = "token.thumbprint"


@contextmanager
def _web(status: int, body: bytes = b"", location: str = "", hosts: list[str] | None = None) -> Iterator[int]:
    """Answer every challenge; ``hosts`` gets the Host fields of the requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hosts is not None:
                hosts.extend(self.headers.get_all("Host", []))
            self.send_response(status if self.path.startswith("/.well-known/acme-challenge/") else 200)
            if location:
                self.send_header("Location", location.format(port=self.server.server_port))  # type: ignore[attr-defined]
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _validate(port: int, host: str = "a.contoso.test", **settings: object) -> None:
    values = {"http_port": port, **settings}
    http_01.validate(AcmeSettings.model_validate(values), host, "token", _AUTHORIZATION)


def test_the_key_authorization_over_http_is_accepted_from_the_host_of_the_challenge() -> None:
    hosts = list[str]()
    with _web(200, b"token.thumbprint\r\n", hosts=hosts) as port:
        _validate(port)
        _validate(port, "127.0.0.1")
    assert hosts == [f"a.contoso.test:{port}", f"127.0.0.1:{port}"]


def test_a_redirect_to_the_same_server_is_followed() -> None:
    with _web(302, b"token.thumbprint", "http://b.contoso.test:{port}/other") as port:
        _validate(port)


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://127.0.0.1:22/", "only the ports"),
        ("ftp://127.0.0.1/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("http://user@127.0.0.1:{port}/", "only the ports"),
        ("http://127.0.0.1:99999/", "invalid URL"),
        ("http://[::1/", "invalid URL"),
        ("/.well-known/acme-challenge/loop", "more than 10 redirects"),
    ],
)
def test_a_redirect_elsewhere_is_not_followed(location: str, message: str) -> None:
    with _web(302, b"", location) as port, pytest.raises(Problem, match=message):
        _validate(port)


def test_the_target_of_every_redirect_is_checked() -> None:
    with _web(302, b"", "http://127.0.0.1:22/") as last:
        target = f"http://b.contoso.test:{last}/.well-known/acme-challenge/x"
        with (
            _web(302, b"", target) as first,
            pytest.raises(Problem, match=r"127\.0\.0\.1:22/: only the ports"),
        ):
            _validate(first, tls_port=last)


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254:{port}/latest", "http://[fe80::1]:{port}/", "http://metadata.test:{port}/"],
)
def test_a_redirect_to_another_host_leads_to_loopback(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected, connect = set[str](), socket.create_connection

    def record(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.add(address[0])
        return connect(address, timeout)

    monkeypatch.setattr(socket, "create_connection", record)
    with _web(302, b"token.thumbprint", target) as port:
        _validate(port)
    assert connected == {"127.0.0.1"}


def test_a_connection_to_another_address_than_the_permitted_one_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda address, **options: connect(("127.0.0.1", address[1]), **options)
    )
    with _web(200, b"token.thumbprint") as port, pytest.raises(Problem, match="another address than 192"):
        _validate(port, hosts={"*": "192.0.2.1"})


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [(200, b"token.other", "wrong contents"), (404, b"", "status 404"), (200, b"x" * 9000, "wrong contents")],
)
def test_a_wrong_response_is_rejected(status: int, body: bytes, message: str) -> None:
    with _web(status, body) as port, pytest.raises(Problem, match=message):
        _validate(port)


@pytest.mark.parametrize(
    ("host", "hosts", "expected"),
    [
        ("a.contoso.test", {"*.contoso.test": "192.0.2.1"}, ("192.0.2.1",)),
        ("A.Contoso.test.", {"*.contoso.test": "192.0.2.1"}, ("192.0.2.1",)),
        ("a.example", {"*.contoso.test": "192.0.2.1"}, ("127.0.0.1", "::1")),
        ("169.254.169.254", {}, ("127.0.0.1", "::1")),
        ("127.0.0.5", {}, ("127.0.0.5",)),
        ("192.0.2.7", {"192.0.2.*": "192.0.2.7"}, ("192.0.2.7",)),
    ],
)
def test_only_mapped_addresses_and_loopback_are_contacted(
    host: str, hosts: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert addresses.addresses(AcmeSettings(hosts=hosts), host) == expected


def test_a_server_without_acme_tls_is_rejected() -> None:
    with _web(200) as port, pytest.raises(Problem) as refused:
        tls_alpn_01.validate(AcmeSettings(tls_port=port), "a.contoso.test", _AUTHORIZATION)
    assert refused.value.kind == "tls"
    assert ssl.HAS_ALPN


_ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
_DIGEST = b"\x04\x20" + sha256(_AUTHORIZATION.encode()).digest()


def _with_identifier(value: bytes, *names: str, critical: bool = True) -> list[bytes]:
    """Return a self-signed certificate with an acmeIdentifier (if not empty), and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    times = datetime(2026, 1, 1, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, *times)
    builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
    if value:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(_ACME_IDENTIFIER, value), critical=critical
        )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return [builder.sign(key, SHA256()).public_bytes(Encoding.PEM), private]


@pytest.mark.parametrize(
    ("presented", "kind"),
    [
        (_with_identifier(_DIGEST, "a.contoso.test"), ""),
        (_with_identifier(_DIGEST, "A.contoso.test"), ""),
        (_with_identifier(b"", "a.contoso.test"), "unauthorized"),
        (_with_identifier(_DIGEST, "b.contoso.test"), "unauthorized"),
        (_with_identifier(_DIGEST, "a.contoso.test", "b.contoso.test"), "unauthorized"),
        (_with_identifier(_DIGEST, "a.contoso.test", critical=False), "unauthorized"),
        (_with_identifier(_DIGEST[:-1] + b"\x00", "a.contoso.test"), "unauthorized"),
    ],
)
def test_only_a_certificate_for_the_challenge_is_accepted(
    presented: list[bytes], kind: str, tmp_path: Path
) -> None:
    (tmp_path / "server.pem").write_bytes(b"".join(presented))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    context.set_alpn_protocols(["acme-tls/1"])

    def serve(server: socket.socket) -> None:
        plain, _ = server.accept()
        with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve, args=(server,))
        thread.start()
        settings = AcmeSettings(tls_port=server.getsockname()[1])
        try:
            tls_alpn_01.validate(settings, "a.contoso.test", _AUTHORIZATION)
            problem = ""
        except Problem as error:
            problem = error.kind
        thread.join(10)
    assert problem == kind


def test_records_of_a_given_dns_server_are_used() -> None:
    digest = encode(sha256(_AUTHORIZATION.encode()).digest())
    records = {"_acme-challenge.a.contoso.test": ["other", digest]}
    with dns_server(lambda name: records.get(name, [])) as port:
        settings = AcmeSettings(resolver=f"127.0.0.1:{port}")
        dns_01.validate(settings, "a.contoso.test", _AUTHORIZATION, lambda _: [])
        with pytest.raises(Problem, match="there is no TXT record"):
            dns_01.validate(settings, "b.contoso.test", _AUTHORIZATION, lambda _: [])
        assert query_txt(f"127.0.0.1:{port}", "_ACME-challenge.a.contoso.test", 5) == ["other", digest]


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_no_message_ends_the_dns_server(length: int) -> None:
    query = bytes.fromhex("0001010000010000000000000161076578616d706c650000100001")
    for data in (query[:length], query[:length] + b"\xc0\x0c", query[:12] + b"\xff" * length):
        respond(data, lambda _: ["text"])
