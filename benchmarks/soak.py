"""Mixed requests at 200 connections, with revocations going on: ``python -m benchmarks.soak [SECONDS]``.

A `pkigen serve` of its own is asked for CRLs, CA certificates, OCSP answers with and without a nonce, what is
not there, what has not changed, while another process revokes certificates and takes it back. Wrong is: an
answer that cannot be read or is not signed by who should; a CRL number that falls; an answer older than the
revocation that it should show (a command that had returned before the request began); a status of 500 or
more; a connection that breaks off; memory that grows. Prints a table, and exits with 1 if anything was wrong.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, OCSPNonce, load_der_x509_crl, load_pem_x509_certificate
from cryptography.x509.extensions import CRLNumber
from cryptography.x509.ocsp import OCSPCertStatus, OCSPRequestBuilder, load_der_ocsp_response

from benchmarks.contenders import PKIGEN
from benchmarks.measure import ROOT, run

_CONNECTIONS = 200
_HOSTS = 12
_SETTLED = 1.0
"""Seconds after which the changes of the other process are known."""
_MOST_GROWTH = 4.0
"""MiB by which the server's memory may grow after the warm-up, as a straight line through all samples."""
_PROFILE = f"""\
name: soak
defaults: {{key: ec-p256}}
authorities:
  root: {{subject: {{CN: Root}}}}
  issuing: {{issuer: root, subject: {{CN: Issuing}}, crl: {{delta: 1d}}}}
certificates:
  "host-{{01..{_HOSTS:02}}}": {{issuer: issuing}}
"""


@dataclass
class Findings:
    """What was seen: requests by kind, and what was wrong by words; the first of each kind in full."""

    requests: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    commands: int = 0

    def blame(self, words: str, example: object = "") -> None:
        """Something was wrong."""
        self.wrong[words] += 1
        self.examples.setdefault(words, str(example)[:300])


@dataclass(frozen=True)
class _Change:
    """A command about one certificate: whether it was revoked then, from when to when the command ran."""

    revoked: bool
    begun: float
    ended: float


class History:
    """What was revoked when, as far as another process tells. Instants are those of the monotonic clock."""

    def __init__(self) -> None:
        self._changes = defaultdict[int, list[_Change]](list)
        self._begun = dict[int, tuple[bool, float]]()

    def record(self, serial: int, revoked: bool, begun: float, ended: float | None) -> None:
        """Record that a command has begun, or (``ended``) returned."""
        if ended is None:
            self._begun[serial] = revoked, begun
        else:
            self._changes[serial].append(_Change(revoked, begun, ended))
            self._begun.pop(serial, None)

    def allows(self, serial: int, revoked: bool, began: float, ended: float) -> bool:
        """Whether an answer to a request of that time may say so."""
        stood, allowed = False, set[bool]()
        for change in self._changes[serial]:
            if change.ended <= began:
                stood = change.revoked
            elif change.begun <= ended:
                allowed.add(change.revoked)
        if (running := self._begun.get(serial)) and running[1] <= ended:
            allowed.add(running[0])
        return revoked in (allowed | {stood})


class Soak:
    """The client: so many connections, each with one request after the other."""

    def __init__(self, environment: Path, port: int, pipe: Connection) -> None:
        self.findings = Findings()
        self._port = port
        self._pipe = pipe
        self._history = History()
        self._issuer = _certificate(environment / "authorities/issuing/issuing.crt")
        self._ca = (environment / "www/ca/issuing.crt").read_bytes()
        hosts = sorted(environment.glob("certificates/*/*.crt"))
        self._serials = [_certificate(path).serial_number for path in hosts]
        self._builders = [
            OCSPRequestBuilder().add_certificate(_certificate(path), self._issuer, hashes.SHA256())
            for path in hosts
        ]
        self._plain = [one.build().public_bytes(Encoding.DER) for one in self._builders]
        self._crls = dict[bytes, tuple[int, frozenset[int]]]()
        self._number = 0
        self._seen = deque[tuple[float, float, dict[int, bool], str]]()
        self._tag = b""

    async def run(self, seconds: float) -> None:
        """Ask for as long as that."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pipe.fileno(), self._hear)
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._connection(number, end) for number in range(_CONNECTIONS)))
        await asyncio.sleep(_SETTLED)
        self._judge(time.monotonic())
        loop.remove_reader(self._pipe.fileno())

    def _hear(self) -> None:
        while self._pipe.poll():
            serial, revoked, begun, ended = self._pipe.recv()
            self._history.record(serial, revoked, begun, ended)
            self.findings.commands += ended is not None

    async def _connection(self, number: int, end: float) -> None:
        chance, streams = random.Random(number), None  # noqa: S311  the same each time is the point
        while time.monotonic() < end:
            try:
                if streams is None:
                    streams = await asyncio.open_connection("127.0.0.1", self._port)
                if not await self._request(chance, *streams):
                    streams[1].close()
                    streams = None
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                self.findings.blame("a connection that breaks off", repr(error))
                streams = None
            self._judge(time.monotonic() - _SETTLED)
        if streams is not None:
            streams[1].close()

    async def _request(
        self, chance: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """One request and what is thought of its answer; whether the connection goes on."""
        kind = chance.choices(_KINDS, _WEIGHTS)[0]
        host = chance.randrange(_HOSTS)
        lowest, began = self._number, time.monotonic()
        writer.write(self._written(kind, host, chance))
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        status = int(first.split()[1])
        body = b""
        if kind != "HEAD" and status != 304:
            body = await reader.readexactly(int(headers["content-length"]))
        self.findings.requests[kind] += 1
        self._think(kind, host, status, headers, body, lowest, (began, time.monotonic()))
        return headers.get("connection") != "close"

    def _written(self, kind: str, host: int, chance: random.Random) -> bytes:
        if kind in ("OCSP", "OCSP, nonce"):
            request = self._plain[host]
            if kind == "OCSP, nonce":
                nonced = self._builders[host].add_extension(OCSPNonce(chance.randbytes(32)), critical=False)
                request = nonced.build().public_bytes(Encoding.DER)
            return b"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(request), request)
        path = {"CA certificate": "/ca/issuing.crt", "404": "/crl/nobody.crl"}.get(kind, "/crl/issuing.crl")
        method = "HEAD" if kind == "HEAD" else "GET"
        known = b"If-None-Match: %s\r\n" % self._tag if kind == "If-None-Match" else b""
        return f"{method} {path} HTTP/1.1\r\nHost: a\r\n".encode() + known + b"\r\n"

    def _think(
        self,
        kind: str,
        host: int,
        status: int,
        headers: dict[str, str],
        body: bytes,
        lowest: int,
        at: tuple[float, float],
    ) -> None:
        expected = {"404": (404,), "If-None-Match": (200, 304)}.get(kind, (200,))
        if status not in expected:
            words = "a status of 500 or more" if status >= 500 else "another status than is due"
            self.findings.blame(words, f"{kind}: {status} {body[:80]!r}")
        elif kind == "CA certificate" and body != self._ca:
            self.findings.blame("a CA certificate that is another")
        elif kind.startswith("OCSP"):
            self._ocsp(kind, host, body, at)
        elif kind == "CRL" or (kind == "If-None-Match" and status == 200):
            self._tag = headers["etag"].encode()
            self._crl(body, lowest, at)

    def _ocsp(self, kind: str, host: int, body: bytes, at: tuple[float, float]) -> None:
        try:
            result = load_der_ocsp_response(body)
            key = self._issuer.public_key()
            assert isinstance(key, ec.EllipticCurvePublicKey)
            key.verify(result.signature, result.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
            revoked = {OCSPCertStatus.GOOD: False, OCSPCertStatus.REVOKED: True}[result.certificate_status]
            assert result.serial_number == self._serials[host]
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            self.findings.blame("an OCSP answer that is wrong", repr(error))
            return
        self._seen.append((*at, {result.serial_number: revoked}, kind))

    def _crl(self, body: bytes, lowest: int, at: tuple[float, float]) -> None:
        digest = sha256(body).digest()
        try:
            if digest not in self._crls:
                crl, key = load_der_x509_crl(body), self._issuer.public_key()
                assert isinstance(key, ec.EllipticCurvePublicKey)
                assert crl.is_signature_valid(key)
                number = crl.extensions.get_extension_for_class(CRLNumber).value.crl_number
                self._crls[digest] = number, frozenset(entry.serial_number for entry in crl)
        except Exception as error:  # noqa: BLE001
            self.findings.blame("a CRL that is wrong", repr(error))
            return
        number, listed = self._crls[digest]
        if number < lowest:
            self.findings.blame("a CRL number that falls", f"{number} after {lowest}")
        self._number = max(self._number, number)
        self._seen.append((*at, {serial: serial in listed for serial in self._serials}, "CRL"))

    def _judge(self, until: float) -> None:
        """Hold what was seen before an instant against what had been revoked by then."""
        while self._seen and self._seen[0][1] <= until:
            began, ended, states, kind = self._seen.popleft()
            for serial, revoked in states.items():
                if not self._history.allows(serial, revoked, began, ended):
                    self.findings.blame("an answer older than its revocation", f"{kind} {serial:x} {revoked}")


_KINDS = ("CRL", "OCSP", "OCSP, nonce", "CA certificate", "404", "HEAD", "If-None-Match")
_WEIGHTS = (25, 30, 10, 10, 5, 5, 15)


def _certificate(path: Path) -> Certificate:
    return load_pem_x509_certificate(path.read_bytes())


def _revoke(environment: str, seconds: float, pipe: Connection) -> None:
    """Revoke and take back for as long as that, and tell of it."""
    from pkigen.environment.revoke import revoke, unrevoke

    folder, chance, content = Path(environment), random.Random(0), set[str]()  # noqa: S311
    serials = {path.stem: _certificate(path).serial_number for path in folder.glob("certificates/*/*.crt")}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = chance.choice(sorted(serials))
        revoked, begun = name not in content, time.monotonic()
        pipe.send((serials[name], revoked, begun, None))
        if revoked:
            revoke(folder, [name], reason="certificateHold")
            content.add(name)
        else:
            unrevoke(folder, [name])
            content.discard(name)
        pipe.send((serials[name], revoked, begun, time.monotonic()))
        time.sleep(chance.uniform(0, 1))


@contextmanager
def _server(environment: Path) -> Iterator[tuple[int, int]]:
    """A server of its own: its port and its process."""
    command = (*PKIGEN, "serve", str(environment), "--port", "0", "--json")
    with Popen(command, cwd=ROOT, stdout=PIPE, stderr=DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["port"], process.pid
        finally:
            process.terminate()


async def _sampled(pid: int, seconds: float) -> list[tuple[float, float]]:
    """(seconds, resident MiB) of the server, again and again."""
    result, begun = list[tuple[float, float]](), time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        result.append(
            (passed, next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024)
        )
        await asyncio.sleep(max(seconds / 120, 0.5))
    return result


def growth(samples: list[tuple[float, float]]) -> float:
    """MiB by which a straight line through the samples, the first fifth left out, rises."""
    later = samples[len(samples) // 5 :]
    times, sizes = [at for at, _ in later], [size for _, size in later]
    middle, mean = sum(times) / len(times), sum(sizes) / len(sizes)
    spread = sum((at - middle) ** 2 for at in times)
    slope = sum((at - middle) * (size - mean) for at, size in later) / spread
    return slope * (times[-1] - times[0])


def main(seconds: float) -> int:
    """Soak for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="pkigen-soak-") as space:
        profile = Path(space) / "soak.yaml"
        profile.write_text(_PROFILE, encoding="utf-8")
        run((*PKIGEN, "build", str(profile), "--out", space), ROOT)
        environment = Path(space) / "soak"
        here, there = get_context("spawn").Pipe(duplex=False)
        other = get_context("spawn").Process(target=_revoke, args=(str(environment), seconds, there))
        with _server(environment) as (port, pid):
            soak = Soak(environment, port, here)
            other.start()

            async def both() -> list[tuple[float, float]]:
                sampling = asyncio.create_task(_sampled(pid, seconds))
                await soak.run(seconds)
                return await sampling

            samples = asyncio.run(both())
            other.join()
        return _tell(soak.findings, samples, seconds)


def _tell(findings: Findings, samples: list[tuple[float, float]], seconds: float) -> int:
    grown = growth(samples)
    if grown > _MOST_GROWTH:
        findings.blame("memory that grows", f"{grown:.1f} MiB")
    total = findings.requests.total()
    print(f"{seconds:.0f} s, {_CONNECTIONS} connections, {total:,} requests, {total / seconds:,.0f} a second")
    for kind, count in findings.requests.most_common():
        print(f"  {kind:<16}{count:>12,}")
    print(f"  {'commands':<16}{findings.commands:>12,}  revocations and their taking back")
    first, last = samples[len(samples) // 5][1], samples[-1][1]
    print(f"memory: {first:.1f} MiB after the warm-up, {last:.1f} MiB at the end, {grown:+.2f} MiB by a line")
    for words, count in findings.wrong.most_common():
        print(f"WRONG: {words}: {count:,}, the first: {findings.examples[words]}")
    if not findings.wrong:
        print("Nothing was wrong.")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600))
