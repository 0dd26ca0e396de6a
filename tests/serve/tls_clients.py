"""Real TLS clients: what they see, what they say."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pkigen.environment.environment import Case
from tests.serve.conftest import Endpoints

_CERTIFICATE = re.compile(
    r"<<< TLS 1\.(\d), Handshake \[length \w+\], Certificate\n((?:    (?:[0-9a-f]{2} ?)+\n)+)"
)


@dataclass(frozen=True)
class ClientResult:
    """What a client printed, and whether it was content."""

    code: int
    text: str


def run(*command: str | Path, stdin: str = "") -> ClientResult:
    done = subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, text=True, check=False, timeout=30
    )
    return ClientResult(done.returncode, done.stdout + done.stderr)


def s_client(
    endpoints: Endpoints, host: str | None, *options: str, address: str = "127.0.0.1"
) -> ClientResult:
    """``openssl s_client``, which shakes hands, sends nothing and says what it thinks."""
    name = ["-noservername"] if host is None else ["-servername", host, "-verify_hostname", host]
    return run(
        "openssl",
        "s_client",
        "-connect",
        f"{address}:{endpoints.port}",
        *name,
        "-CAfile",
        endpoints.environment.trust,
        *("-verify_return_error", "-brief") if "-msg" not in options else (),
        *options,
    )


def presented(
    endpoints: Endpoints, host: str | None, *options: str, address: str = "127.0.0.1"
) -> list[bytes]:
    """Return the bytes of each certificate that openssl received."""
    result = s_client(endpoints, host, "-msg", *options, address=address)
    match = _CERTIFICATE.search(result.text)
    assert match is not None, result.text
    message = bytes.fromhex(match[2])
    modern = match[1] == "3"
    data, certificates = message[5 + 3 :] if modern else message[4 + 3 :], list[bytes]()
    while data:
        size = int.from_bytes(data[:3], "big")
        certificates.append(data[3 : 3 + size])
        data = data[3 + size :]
        if modern:
            data = data[2 + int.from_bytes(data[:2], "big") :]
    return certificates


def curl(endpoints: Endpoints, case: Case, host: str, *options: str) -> ClientResult:
    """``curl``, trusting what the case says."""
    where = f"{host}:{endpoints.port}"
    trust = case.folder / case.data["trust"][0]
    command = ("curl", "--silent", "--show-error", "--max-time", "20", "--cacert", trust)
    return run(*command, "--resolve", f"{where}:127.0.0.1", *options, f"https://{where}/")


def gnutls(endpoints: Endpoints, case: Case, host: str, *options: str) -> ClientResult:
    """``gnutls-cli`` (of the same package as certtool)."""
    trust = case.folder / case.data["trust"][0]
    command = ("gnutls-cli", "--x509cafile", trust, "--sni-hostname", host, "--verify-hostname", host)
    return run(*command, "-p", str(endpoints.port), *options, "127.0.0.1")


def python(
    endpoints: Endpoints, host: str | None, context: ssl.SSLContext, address: str = "127.0.0.1"
) -> tuple[bytes, bytes]:
    """Python's ssl: the certificate that came (DER), and the page."""
    with (
        socket.create_connection((address, endpoints.port), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=host) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        page = b"".join(iter(lambda: client.recv(4096), b""))
        return client.getpeercert(binary_form=True) or b"", page


def trusting(environment_trust: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=environment_trust)


def careless() -> ssl.SSLContext:
    """A client that takes whatever it is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
