"""Mutated TLS messages for the handshake of the TLS endpoint, which is a function of bytes."""

from __future__ import annotations

import random
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from pkigen import build
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.session import Session
from tests.attack.result import Outcome, outcome

_PROFILE = {
    "name": "presented",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {"subject": {"CN": "Root"}}},
    "certificates": {"sensor": {"issuer": "root", "subject": {"CN": "sensor.test"}}},
}
_LARGEST_ANSWER = 1_000_000
_FLIGHTS = 6


def tls_messages(folder: Path, numbers: Iterable[int], seed: int) -> Iterator[Outcome]:
    """Change bytes of one flight of a client; the session answers, or ends with an alert."""
    present = cache(CaseSelector(build(_PROFILE, folder).folder).at("127.0.0.1"))
    for number in numbers:
        rng = random.Random(f"tls {seed} {number}")
        client, session = _Client(rng), Session(present)
        flight, target = client.step(b""), rng.choice((0, 0, 1, 2))
        problem, sent = "", 0
        for count in range(_FLIGHTS):
            data = _mutated(rng, flight) if count == target else flight
            try:
                answer = session.receive(data)
            except Exception as error:  # noqa: BLE001  whatever is raised is the finding
                problem = f"{type(error).__name__}: {error}"
                break
            sent += len(answer)
            flight = client.step(answer)
            if not flight:
                break
        if not problem and sent > _LARGEST_ANSWER:
            problem = f"{sent} bytes of answers"
        yield outcome(number, problem)


class _Client:
    """Python's ssl as a client of bytes, which offers all versions and checks nothing."""

    def __init__(self, rng: random.Random) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if rng.random() < 0.5:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._input, self._output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._input, self._output, server_hostname="sensor.test")

    def step(self, data: bytes) -> bytes:
        self._input.write(data)
        with suppress(ssl.SSLError):
            self._tls.do_handshake()
            self._tls.write(b"GET / HTTP/1.1\r\nHost: sensor.test\r\n\r\n")
            self._tls.read(65_536)
        return self._output.read()


def _mutated(rng: random.Random, data: bytes) -> bytes:
    """Change bytes, lengths, the order or the size of TLS records."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        if not changed:
            break
        place, way = rng.randrange(len(changed)), rng.randrange(6)
        if way == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            changed[place] = rng.choice((0, 1, 2, 3, 20, 21, 22, 23, 24, 127, 128, 255))
        elif way == 2:
            del changed[place : place + rng.randrange(1, 60)]
        elif way == 3:
            changed[place:place] = rng.randbytes(rng.choice((1, 2, 16, 300)))
        elif way == 4:
            changed += changed[place:] * rng.choice((1, 3))
        else:
            changed[:0] = bytes((rng.choice((20, 21, 22, 23, 24)), 3, 3, 0, 2)) + rng.randbytes(2)
    return bytes(changed)
