"""Mutated ACME messages, headers and paths for the enrollment server."""

from __future__ import annotations

import json
import logging
import random
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from pkigen.enrolment import serve_enrolment
from tests.attack.requests import Errors, mutated_request
from tests.attack.result import Outcome, outcome
from tests.enrolment.acme.client import MEDIA_TYPE, AcmeClient, Connection, sign
from tests.enrolment.acme.served import build_environment

_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 2**70, 10**15, "", "x", "\0", "\ud800", "a" * 5000, [], {}, [[]], {"a": {}}),
    *("none", "HS256", "ES384", "..", "*.", {"status": "deactivated"}, "data:,", "AA"),
    *({"kty": "RSA", "n": "AA", "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
    *([{"type": "dns", "value": "*." * 9}], [{"type": "ip", "value": "::1%1"}], [{"type": [], "value": {}}]),
)
_HEADER = ("alg", "nonce", "url", "kid", "jwk", "crit", "b64")
_PAYLOAD = ("identifiers", "notBefore", "profile", "replaces", "contact", "status", "csr", "certificate")
_PATHS = (
    "",
    "/",
    "/0",
    "/%2e%2e",
    "/..",
    "//",
    "/%00",
    "/order",
    "/finalize",
    "?cursor=-1",
    "?cursor=x",
    ";",
)
_TIMEOUT = 20.0


def acme_messages(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Send mutated messages and requests to a running server: no status 5xx, no exception."""
    environment, errors = build_environment(folder, 9), Errors()
    logging.getLogger().addHandler(errors)
    trust = ssl.create_default_context(cafile=environment / "trust.pem")
    connection = Connection(trust)
    try:
        with serve_enrolment(environment) as server:
            client: AcmeClient | None = None
            for number in numbers:
                rng = random.Random(f"acme {seed} {number}")
                if number % 100 == 0 or client is None:
                    client = AcmeClient(connection, f"{server.url}/acme/sensors/directory")
                status = _message(client, rng) if rng.randrange(4) else _raw_request(server.port, trust, rng)
                yield outcome(number, f"status {status}" if status in range(500, 505) else errors.take())
    finally:
        connection.close()
        logging.getLogger().removeHandler(errors)


def _message(client: AcmeClient, rng: random.Random) -> int:
    """Send a signed message with a few changes; return the status."""
    client.nonce = ""
    if not client.kid or client.post(client.kid).status_code != 200:
        client.kid, client.key = "", ec.generate_private_key(ec.SECP256R1())
        assert client.register().status_code == 201
    urls = [value for value in client.directory().values() if isinstance(value, str)]
    order = client.order("a.contoso.test").json()
    urls += [client.kid, order["finalize"], *order["authorizations"]]
    urls.append(client.challenge(order["authorizations"][0])["url"])
    url = rng.choice(urls) + rng.choice(_PATHS)
    payload: Any = {rng.choice(_PAYLOAD): rng.choice(_VALUES) for _ in range(rng.randrange(3))}
    payload = rng.choice((payload, payload, "", rng.choice(_VALUES)))
    header: dict[str, Any] = {"nonce": client.nonce, "url": url, "kid": client.kid}
    header |= {rng.choice(_HEADER): rng.choice(_VALUES) for _ in range(rng.randrange(3))}
    message: dict[str, Any] = dict(sign(client.key, header, payload))
    if not rng.randrange(3):
        message[rng.choice(("protected", "payload", "signature", "header"))] = rng.choice(_VALUES)
    text = json.dumps(message)
    if not rng.randrange(4):
        place = rng.randrange(len(text))
        text = (
            text[:place]
            + rng.choice(("", "\\u0000", '"', "{", "[" * 9000))
            + text[place + rng.randrange(9) :]
        )
    try:
        return client.http.post(url, content=text, headers={"Content-Type": MEDIA_TYPE}).status_code
    except (OSError, HTTPException, ValueError):
        return 0


def _raw_request(port: int, trust: ssl.SSLContext, rng: random.Random) -> int:
    """Send a request with changes in its path, its headers and its framing; return the status."""
    head = f"Host: localhost:{port}\r\nContent-Type: {MEDIA_TYPE}\r\nConnection: close\r\n"
    path = f"/acme/sensors/{rng.choice(('directory', 'order/x', 'new-order', 'renewal-info/x'))}"
    seeds = (
        f"GET {path} HTTP/1.1\r\n{head}\r\n".encode(),
        f"HEAD {path}{rng.choice(_PATHS)} HTTP/1.1\r\n{head}\r\n".encode(),
        f"POST {path} HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}".encode(),
        f"POST {path} HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode(),
    )
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), _TIMEOUT) as raw:
        raw.settimeout(0.5)
        with trust.wrap_socket(raw, server_hostname="localhost") as connection:
            connection.sendall(mutated_request(rng, seeds))
            answer = connection.recv(4096)
    return int(answer[9:12]) if answer[:9] == b"HTTP/1.1 " and answer[9:12].isdigit() else 0
