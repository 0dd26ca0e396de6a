"""TLS contexts of the enrollment server: which certificate it presents, and which clients it trusts."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkigen.clock import utc_now
from pkigen.documents.yaml_tree import Items, Text
from pkigen.enrolment.requested_key import new_key
from pkigen.environment.enrol import Enrolled, Enroller, read_request
from pkigen.environment.environment import Case, open_environment, server_context
from pkigen.environment.published.stored_keys import first_certificate, open_key
from pkigen.errors import EnvironmentFailure, InputError, PkigenError
from pkigen.files import file_stamp, write_private_file
from pkigen.formats import pem
from pkigen.keys import public_key_info, to_pkcs8
from pkigen.model import Role
from pkigen.profile.enrolment import Template
from pkigen.x509 import Certificate, Malformed

NAME = "enrolment-server"
"""The certificate that pkigen issues if the environment has none for the server's host."""

_KEY_FILE = ".pkigen/enrolment-server.key"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_REFRESH_SECONDS = 5.0
_SHORTEST_REST = timedelta(hours=1)
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


class ServerContexts:
    """The TLS contexts of the server. ``context`` is called once per connection.

    ``host`` is the host of the announced URLs: a client without SNI gets a certificate that is valid for it.
    Clients may present a certificate of a CA of the environment.
    """

    def __init__(self, enroller: Enroller, host: str, passphrases: Sequence[bytes] = ()) -> None:
        self._enroller = enroller
        self._hosts = tuple(dict.fromkeys((host, *_LOCAL)))
        self._passphrases = tuple(passphrases)
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
        enroller = self._enroller
        enrolled = enroller.find(name=NAME)
        if enrolled is None or not self._is_usable(enrolled):
            self._issue(renewal_of=NAME if enrolled else "")
        folder = enroller.folder / Role.CERTIFICATE / NAME
        paths = (folder / f"{NAME}.crt", folder / "chain.pem", enroller.folder / _KEY_FILE)
        try:
            return _complete(server_context(*paths, b""), trust)
        except (OSError, ssl.SSLError) as error:
            raise EnvironmentFailure(f"the certificate {NAME} cannot be presented: {error}") from error

    def _is_usable(self, enrolled: Enrolled) -> bool:
        """Whether the certificate is that of the key and the CA, for these hosts, and valid."""
        try:
            key = open_key((self._enroller.folder / _KEY_FILE).read_bytes(), NAME)
            certificate = Certificate(enrolled.certificate)
            names = {str(name.value) for name in certificate.extensions.alternative_names or ()}
            return (
                certificate.subject_public_key_info == public_key_info(key)
                and names >= {str(name) for name in self._hosts}
                and enrolled.not_after - utc_now() > _SHORTEST_REST
                and enrolled.issuer == self._issuer
                and enrolled.chain == self._enroller.chain(enrolled.issuer)
                and self._enroller.revocation(enrolled) is None
            )
        except (OSError, InputError, Malformed):
            return False

    @property
    def _issuer(self) -> str:
        """The issuer of the first template."""
        template = next(iter(self._enroller.templates.values()))
        return str(template.sample()[1].issuer)

    def _issue(self, renewal_of: str) -> None:
        template = _for_servers(self._enroller.profile.template("", self._issuer))
        key = _server_key(template)
        names = x509.SubjectAlternativeName([_general_name(host) for host in self._hosts])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._hosts[0])])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        builder = builder.add_extension(names, critical=False)
        request = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
        write_private_file(self._enroller.folder / _KEY_FILE, pem.encode("PRIVATE KEY", to_pkcs8(key)))
        try:
            self._enroller.issue(
                template,
                read_request(request),
                protocol="server",
                name="" if renewal_of else NAME,
                renewal_of=renewal_of,
            )
        except PkigenError as error:
            problem = f"no certificate is valid for {self._hosts[0]}, and pkigen cannot issue one: {error}"
            raise EnvironmentFailure(
                f"{problem}. Add a certificate for {self._hosts[0]} to the profile, and build"
            ) from error


def _server_key(template: Template) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Return a new key of the template's kind, or an EC key if clients do not support that kind."""
    key = new_key(template)
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    return ec.generate_private_key(ec.SECP256R1())


def _complete(context: ssl.SSLContext, trust: bytes) -> ssl.SSLContext:
    """Request client certificates of the environment's CAs, and resume no session."""
    context.verify_mode = ssl.CERT_OPTIONAL
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


def _for_servers(template: Template) -> Template:
    """Return the template with the purpose serverAuth, whatever the defaults of the profile are."""
    tree = template.body.tree.copy()
    tree.put("extended_key_usage", Items([Text("serverAuth")]), None)
    return replace(template, body=replace(template.body, tree=tree), of_server=True)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
