"""Mutated HTTP requests for the stub, and mutated OCSP requests for its responder."""

from __future__ import annotations

import logging
import random
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography.x509 import ocsp

from fuzz.mutations import mutate
from pkigen import build, open_environment
from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.serve import serve
from tests.attack.result import Outcome, outcome

_PROFILE = {
    "name": "served",
    "base_url": "http://127.0.0.1:8080",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {"subject": {"CN": "Root"}}},
    "certificates": {"sensor": {"issuer": "root", "subject": {"CN": "sensor.test"}}},
    "negatives": [{"of": "sensor", "faults": ["ocsp-stale", "revoked", "crl-http-404"]}],
}
_TIMEOUT, _PATIENCE = 20.0, 0.5
"""Seconds to wait for the answer to a good request, and to one that the server may wait for the rest of."""
_GOOD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
_LARGEST_ANSWER = 1_000_000
_SEEDS = (
    b"GET /crl/root.crl HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b'HEAD /ca/root.crt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nIf-None-Match: "x"\r\n\r\n',
    b"GET /crl/root.crl HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=0-9,5-\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: 4\r\n\r\n0",
    b"POST /ocsp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    b"GET http://127.0.0.1:8080/ HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n\r\n",
    b"OPTIONS * HTTP/1.0\r\n\r\n",
    b"GET /crl/%2e%2e/%2e%2e/manifest.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n",
)
_TOKENS = (
    *(b"\r\n", b"\n", b"\0", b" ", b"\t", b":", b"\xff", b"Host: b\r\n", b"Content-Length: 9\r\n", b"%00"),
    *(b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked, gzip\r\n", b"/" * 9000, b"X: y\r\n" * 300),
    *(b"HTTP/2.0", b"HTTP/0.9", b"http://", b"#", b"?", b"..", b"ffffffffff\r\n", b"A" * 70_000),
)


def http_requests(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Send mutated requests to a running stub; every 50th time, check that it still answers a good one."""
    environment = build(_PROFILE, folder)
    errors = Errors()
    logging.getLogger().addHandler(errors)
    try:
        with serve(environment.folder, port=0) as url:
            port = int(url.rpartition(":")[2])
            for number in numbers:
                rng = random.Random(f"http {seed} {number}")
                answer = _exchange(port, mutated_request(rng) + b"\r\n\r\n" + _GOOD, _PATIENCE)
                problem = "a status 5xx" if b"HTTP/1.1 5" in answer and b"HTTP/1.1 505" not in answer else ""
                if number % 50 == 0 and not _exchange(port, _GOOD, _TIMEOUT).startswith(b"HTTP/1.1 200"):
                    problem = "a good request afterwards gets no answer"
                problem = problem or errors.take()
                yield outcome(number, problem)
    finally:
        logging.getLogger().removeHandler(errors)


def ocsp_requests(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Ask the responder mutated questions; cryptography reads every response."""
    environment = build(_PROFILE, folder)
    manifest = environment.manifest
    responder = OcspResponder(environment.folder, lambda: manifest, lambda: datetime.now(UTC))
    seeds = _ocsp_seeds(environment.folder)
    for number in numbers:
        rng = random.Random(f"ocsp {seed} {number}")
        request = mutate(rng, rng.choice(seeds), seeds)
        try:
            response = ocsp.load_der_ocsp_response(responder.respond(request).response)
        except Exception as error:  # noqa: BLE001  whatever is raised is the finding
            yield outcome(number, f"{type(error).__name__}: {error}")
            continue
        yield outcome(number, "" if _is_well_formed(response) else f"a signed answer to {request.hex()}")


def _is_well_formed(response: ocsp.OCSPResponse) -> bool:
    """Whether cryptography reads every CertID of a successful response."""
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return True
    return all(single.serial_number is not None for single in response.responses)


def _ocsp_seeds(folder: Path) -> list[bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    environment, seeds = open_environment(folder), list[bytes]()
    root = x509.load_pem_x509_certificate((folder / "authorities/root/root.crt").read_bytes())
    certificate = x509.load_pem_x509_certificate(environment["sensor"].certificate.read_bytes())
    for algorithm in (hashes.SHA1(), hashes.SHA256()):  # noqa: S303
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, root, algorithm)
        seeds.append(builder.build().public_bytes(Encoding.DER))
        builder = builder.add_extension(x509.OCSPNonce(b"0123456789abcdef"), critical=False)
        seeds.append(builder.build().public_bytes(Encoding.DER))
    return seeds


def mutated_request(rng: random.Random, seeds: Sequence[bytes] = _SEEDS) -> bytes:
    """Return one of the requests with a few changes."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place, way = rng.randrange(len(data) + 1), rng.randrange(5)
        if way == 0:
            data = data[:place] + rng.choice(_TOKENS) + data[place:]
        elif way == 1:
            data = data[:place] + bytes((rng.randrange(256),)) + data[place + 1 :]
        elif way == 2:
            data = data[:place] + data[place + rng.randrange(1, 30) :]
        elif way == 3:
            data += rng.choice(seeds)
        else:
            lines = data.split(b"\r\n")
            rng.shuffle(lines)
            data = b"\r\n".join(lines)
    return data


def _exchange(port: int, data: bytes, timeout: float) -> bytes:
    """Send bytes and return what the server sends until it closes the connection."""
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout) as connection:
        with suppress(OSError):
            connection.sendall(data)
        while len(answer) < _LARGEST_ANSWER and (part := connection.recv(65_536)):
            answer += part
    return answer


class Errors(logging.Handler):
    """Collects errors that the server logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._messages = list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message and the type of the exception."""
        self._messages.append(f"logged: {record.getMessage()[:200]} {record.exc_info and record.exc_info[0]}")

    def take(self) -> str:
        """Return the messages, and forget them."""
        messages, self._messages = self._messages, []
        return "; ".join(messages)
