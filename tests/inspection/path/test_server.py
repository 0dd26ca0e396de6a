"""The certificates of a TLS server are read in the order in which it sends them, within limits."""

from __future__ import annotations

import errno
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from OpenSSL import SSL

from pkigen.errors import InputError
from pkigen.formats import pem
from pkigen.inspection.path.http_fetch import FetchError
from pkigen.inspection.path.server import _reason, fetch_url, read_input
from pkigen.inspection.path.verify import Verification, verify
from pkigen.x509 import Certificate
from tests.inspection.path.certificates import certificates
from tests.inspection.path.conftest import Made

Serve = Callable[[socket.socket], object]


@contextmanager
def _server(serve: Serve) -> Iterator[str]:
    """Serve one connection; yields the https URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                connection = listener.accept()[0]
                with closing(connection):
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):  # wakes a server that nobody connected to
                socket.create_connection(listener.getsockname(), 1).close()
            thread.join()


def _tls(
    made: Made,
    tmp_path: Path,
    *certificates: Path,
    version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    client_certificate: bool = False,
    names: list[str | None] | None = None,
) -> Serve:
    """``names`` receives the server names that clients indicate."""
    chain = tmp_path / "served.pem"
    chain.write_bytes(b"".join(path.read_bytes() for path in certificates))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, made.leaf.with_suffix(".key"))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED if client_certificate else ssl.CERT_NONE
    if names is not None:
        context.sni_callback = lambda _socket, name, _context: names.append(name)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    return serve


def _subjects(url: str) -> list[bytes]:
    certificates = [one.certificate for one in read_input(Path(url))]
    return [one.subject_der for one in certificates if isinstance(one, Certificate)]


def test_the_certificates_of_a_server_are_read_in_its_order(made: Made, tmp_path: Path) -> None:
    sent = (made.leaf, made.issuing.certificate, made.root.certificate)
    with _server(_tls(made, tmp_path, *sent)) as url:
        subjects = _subjects(url)
    with _server(_tls(made, tmp_path, *sent[:2])) as url:
        data = fetch_url(url)
    assert data == b"".join(pem.certificate(one.der) for one in certificates(*sent[:2]))
    files = [read_input(path)[0].certificate for path in sent]
    assert subjects == [one.subject_der for one in files if one is not None]


@pytest.mark.parametrize(("host", "name"), [("127.0.0.1", None), ("localhost", "localhost")])
def test_a_server_gets_its_host_name_and_no_address(
    host: str, name: str | None, made: Made, tmp_path: Path
) -> None:
    names = list[str | None]()
    with _server(_tls(made, tmp_path, made.leaf, names=names)) as url:
        assert len(_subjects(url.replace("127.0.0.1", host))) == 1
    assert names == [name]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_requires_a_client_certificate_is_read(
    version: ssl.TLSVersion, made: Made, tmp_path: Path
) -> None:
    serve = _tls(
        made, tmp_path, made.leaf, made.issuing.certificate, version=version, client_certificate=True
    )
    with _server(serve) as url:
        assert len(_subjects(url)) == 2


def test_verify_takes_the_url_of_a_server_as_the_certificate(made: Made, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    with _server(_tls(made, tmp_path, made.leaf, made.issuing.certificate)) as url:
        complete = verify(Verification(Path(url), at, trust=made.trust))
    with _server(_tls(made, tmp_path, made.leaf)) as url:
        alone = verify(Verification(Path(url), at, trust=made.trust))
    assert complete.result.ok
    assert [problem.rule for problem in alone.result.problems] == ["no-issuer"]


def test_a_server_without_tls_is_an_error_with_the_reason() -> None:
    with (
        _server(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url,
        pytest.raises(InputError, match=rf"{url}: (the TLS handshake failed|Connection reset)"),
    ):
        read_input(Path(url))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "the server closed the connection"),
        (b"\x16\x03\x03\x00\x40\x02", "the server closed the connection"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "tls alert handshake failure|sslv3 alert handshake failure"),
    ],
    ids=["nothing", "a part of a message", "an alert"],
)
def test_a_server_that_ends_the_handshake_is_an_error_with_the_reason(sent: bytes, reason: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(sent)

    with (
        _server(serve) as url,
        pytest.raises(FetchError, match=rf"^{url}: the TLS handshake failed: ({reason})$"),
    ):
        fetch_url(url)


def test_a_reset_connection_is_an_error_with_the_reason() -> None:
    assert _reason(SSL.SysCallError(errno.ECONNRESET, "ECONNRESET")) == "Connection reset by peer"


def test_a_silent_server_is_abandoned_after_the_timeout() -> None:
    release = threading.Event()
    with _server(lambda _: release.wait(30)) as url:
        with pytest.raises(FetchError, match="it does not answer in time"):
            fetch_url(url, timeout=0.2)
        release.set()


def test_a_closed_port_is_an_error_with_the_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FetchError, match=rf"^{url}: Connection refused$"):
            fetch_url(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://127.0.0.1:443/page", "https reads only a server's certificates"),
        ("https://127.0.0.1:99999", "the URL is invalid"),
        ("https://:443", "the URL has no host"),
    ],
)
def test_a_url_that_is_no_server_is_an_error(url: str, message: str) -> None:
    with pytest.raises(FetchError, match=re.escape(message)):
        fetch_url(url)
