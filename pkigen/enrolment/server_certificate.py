"""TLS contexts of the enrollment server: which certificate it presents, and which clients it trusts."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pkigen.clock import utc_now
from pkigen.enrolment.own_certificate import tls_certificate
from pkigen.environment.enrol import Enroller
from pkigen.environment.environment import Case, open_environment
from pkigen.environment.published.stored_keys import first_certificate
from pkigen.environment.tls_identity import server_context
from pkigen.errors import EnvironmentFailure, PkigenError
from pkigen.files import file_stamp
from pkigen.formats import pem
from pkigen.model import Role
from pkigen.x509 import Certificate, Malformed

NAME = "enrolment-server"
"""The certificate that pkigen issues if the environment has none for the server's host."""

_LOCAL = ("localhost", "127.0.0.1", "::1")
_REFRESH_SECONDS = 5.0
_MOST_CONTEXTS = 64


@dataclass
class _Snapshot:
    """The certificates to present by host, and the contexts that were made for them."""

    stamp: object
    read_at: float
    cases: dict[str, Case]
    trust: bytes
    default: ssl.SSLContext
    contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)


NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name."""


class ServerContexts:
    """The TLS contexts of the server. ``context`` is called once per connection.

    ``host`` is the host of the announced URLs: a client without SNI gets a certificate that is valid for it.
    Clients may present a certificate of a CA of the environment.
    """

    def __init__(self, enroller: Enroller, host: str, passphrases: Sequence[bytes] = ()) -> None:
        self._enroller = enroller
        self._hosts = tuple(dict.fromkeys((host, *_LOCAL)))
        self._passphrases = tuple(passphrases)
        template = next(iter(enroller.templates.values()))
        issuer = str(template.sample()[1].issuer)
        self._own = tls_certificate(enroller, issuer, NAME, self._hosts)
        self._snapshot = self._read()

    def context(self) -> ssl.SSLContext:
        """Return the context of a new connection; it selects the certificate by SNI."""
        snapshot = self._snapshot
        if time.monotonic() - snapshot.read_at > _REFRESH_SECONDS:
            snapshot.read_at = time.monotonic()
            if snapshot.stamp != self._stamp():
                # A build may be replacing the files: a later connection reads them.
                with suppress(PkigenError, OSError, ssl.SSLError):
                    self._snapshot = snapshot = self._read()
        return snapshot.default

    def _stamp(self) -> object:
        return file_stamp(f"{self._enroller.folder}/manifest.json")

    def _read(self) -> _Snapshot:
        stamp = self._stamp()
        cases = dict[str, Case]()
        for case in open_environment(self._enroller.folder).cases():
            if case.fault is None and case.accepted and case.is_for_servers and "key" in case.data["files"]:
                for host in case.hosts:
                    cases.setdefault(host.lower(), case)
        trust = b"".join(map(pem.certificate, _authorities(self._enroller.folder)))
        default = self._of_case(cases.get(self._hosts[0]), trust) or self._of_own(trust)
        default.sni_callback = self._select
        return _Snapshot(stamp, time.monotonic(), cases, trust, default)

    def _select(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        """Present the certificate for the requested host name, if there is one; called in the handshake."""
        snapshot = self._snapshot
        host = (name or "").lower()
        case = snapshot.cases.get(host) or snapshot.cases.get(f"*.{host.partition('.')[2]}")
        if case is None or host in self._hosts:
            return
        context = snapshot.contexts.get(case.name) or self._of_case(case, snapshot.trust)
        if context is not None:
            if len(snapshot.contexts) >= _MOST_CONTEXTS:
                snapshot.contexts.clear()
            snapshot.contexts[case.name] = context
            connection.context = context

    def _of_case(self, case: Case | None, trust: bytes) -> ssl.SSLContext | None:
        """Return the context that presents a certificate; None if it is not valid now or does not load."""
        if case is None:
            return None
        try:
            certificate = Certificate(first_certificate(case.certificate.read_bytes()))
            if not certificate.not_before <= utc_now() < certificate.not_after:
                return None
        except (OSError, StopIteration, Malformed):
            return None
        for passphrase in ("", *(one.decode("utf-8", "replace") for one in self._passphrases)):
            try:
                return _complete(case.server_context(passphrase), trust)
            except (OSError, ssl.SSLError, ValueError):
                continue
        return None

    def _of_own(self, trust: bytes) -> ssl.SSLContext:
        """Return the context that presents the certificate called NAME, which is issued if necessary."""
        try:
            self._own.current()
        except EnvironmentFailure as error:
            host = self._hosts[0]
            advice = f"Add a certificate for {host} to the profile, and build"
            raise EnvironmentFailure(f"no certificate is valid for {host}: {error}. {advice}") from error
        folder = self._enroller.folder / Role.CERTIFICATE / NAME
        try:
            return _complete(
                server_context(folder / f"{NAME}.crt", folder / "chain.pem", self._own.key_path, b""), trust
            )
        except (OSError, ssl.SSLError) as error:
            raise EnvironmentFailure(f"the certificate {NAME} cannot be presented: {error}") from error


def _complete(context: ssl.SSLContext, trust: bytes) -> ssl.SSLContext:
    """Request client certificates of the environment's CAs, and resume no session.

    The protocols compare the validity of a client certificate with the clock of the server.
    """
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= NO_CHECK_TIME
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    for block in pem.blocks(trust):
        try:
            context.load_verify_locations(cadata=block.data)
        except ssl.SSLError:
            continue  # a faulty CA that OpenSSL does not load
    return context


def _authorities(folder: Path) -> Iterator[bytes]:
    """Yield the certificates of the environment's CAs in DER."""
    for directory in sorted((folder / Role.AUTHORITY).iterdir()):
        path = directory / f"{directory.name}.crt"
        if path.is_file():
            yield from (block.data for block in pem.blocks(path.read_bytes()))
