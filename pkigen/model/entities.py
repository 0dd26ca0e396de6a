"""Planned and issued entities: authorities and end entities."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from pkigen.model.certificates import CertificatePlan
from pkigen.model.revocation import CrlPlan, OcspPlan, Responding, Revocation


class Role(StrEnum):
    """The kind of an entity; the value is also the name of the directory for that kind."""

    AUTHORITY = "authorities"
    CERTIFICATE = "certificates"


@dataclass(frozen=True)
class Alteration:
    """A corruption of one file of an entity: the file, the method, and its argument.

    ``file`` is one of certificate, key, chain, pkcs12; ``how`` names a function of ``formats.alterations``.
    """

    file: str
    how: str
    argument: str = ""


STANDARD_FILES = ("crt", "key", "chain")
"""The files of an entity besides its output formats: NAME.crt, NAME.key and chain.pem."""
ISSUED_CHAIN = "issued-chain"
"""The file of an authority that is the chain of certificates without their own: it and the CAs above it."""

PKCS12_PASSPHRASE = b"changeit"
"""The default passphrase of PKCS#12 files: that of Java's key stores, not a secret."""


@dataclass(frozen=True)
class Output:
    """Output options of an entity; ``alias`` and ``pkcs12_passphrase`` apply to PKCS#12.

    ``files`` are of STANDARD_FILES, or ISSUED_CHAIN; a case with a fault has all of STANDARD_FILES.
    ``alterations`` are applied in order to the files that they name, after all files are written.
    """

    formats: tuple[str, ...] = ()
    key_format: str = "pkcs8"
    passphrase: bytes | None = field(default=None, repr=False)
    pkcs12_passphrase: bytes = field(default=b"", repr=False)
    alias: str = ""
    alterations: tuple[Alteration, ...] = ()
    files: tuple[str, ...] = STANDARD_FILES


@dataclass(frozen=True)
class Fault:
    """An intentional fault of an entity, and the expected verdict.

    ``base`` is the name of the certificate without the fault. For a case of a requirement set ``against``,
    ``violates`` lists the ids of the requirements that it breaks, ``accepted`` is the verdict of the
    appliance at upload, and ``messages`` are the messages of the appliance; for a catalog fault these are
    empty. ``stage`` is where a client detects the fault (file, parse, path, name, revocation ...), None if
    only an appliance detects it. ``expected`` is the result of a strict path validator: accept, reject, or
    varies. ``verdict`` is the class of a catalog fault (R, A, P, V), ``shows`` describes the symptom and
    the correct reaction of a client, and ``family`` is the family in the catalog. For a case of a requirement
    set, ``file`` is the only file that has the fault (certificate, key, chain; "" if the certificate itself
    has it), and ``sent`` is false if what a TLS server presents is sound. ``authority`` is the name of the
    authority whose copy violates the requirements; empty if the end entity does.
    """

    id: str
    base: str
    says: str
    against: str = ""
    violates: tuple[str, ...] = ()
    accepted: bool | None = None
    messages: tuple[str, ...] = ()
    stage: str | None = None
    expected: str = "accept"
    clause: str = ""
    verdict: str = ""
    shows: str = ""
    family: str = ""
    file: str = ""
    sent: bool = True
    authority: str = ""


@dataclass(frozen=True)
class Serving:
    """An intentional server error: the URL or the handshake (``tls``), the kind of error, and its argument.

    ``how`` is one of status, slow, late, truncated, endless, oversize, repeated, media-type, redirect, loop,
    reset, tls-alert, html, pem, other (for URLs), or a name of the family ``transport`` without its ``tls-``
    (for handshakes).
    """

    url: str
    how: str
    argument: str = ""


@dataclass(frozen=True)
class ImportedCA:
    """An authority imported from files: its certificate, the certificates above it, and its key (PKCS#8)."""

    certificate: bytes
    chain: tuple[bytes, ...]
    key: bytes | None = field(repr=False)


@dataclass(frozen=True)
class GivenKey:
    """A key that pkigen did not generate: that of a request, or of a key file.

    ``public_key`` is the SubjectPublicKeyInfo in DER. ``pkcs8`` is the private key, None if only its owner
    has it.
    """

    public_key: bytes
    pkcs8: bytes | None = field(default=None, repr=False)


SHARED_KEY = "cases of "
"""The label (``key_of``) of the key that all cases of an end entity share, before the name of the entity."""


@dataclass(frozen=True)
class Entity:
    """An authority or an end entity: one key, one or more certificates for it, one directory.

    ``certificates[0]`` is the certificate in ``NAME.crt``; the others are cross-certificates. ``issuers``
    are the ids of the authorities above, from the issuing CA up to and including the root (empty for a root
    and for a self-signed end entity). ``renew_before`` is the time in seconds before the end of the main
    certificate from which a build reissues it.

    ``key_of`` is the id of another entity that has the same key, or an arbitrary label; entities with the
    same label share one key. ``trusted`` is true if a self-signed authority is a trust anchor; ``trust``
    lists the ids of the anchors that clients of an end entity trust, if not the root of its path. ``given``
    is its key if pkigen does not generate it. ``server`` is false if the certificate is only for other
    purposes than TLS servers, or there is no key file; a case inherits it from its base.
    ``serving`` lists the intentional errors of a server, ``ocsp`` is the OCSP response about the entity,
    and ``responding`` is the responder that answers for an authority.
    """

    role: Role
    name: str
    key: str
    certificates: tuple[CertificatePlan, ...]
    issuers: tuple[str, ...]
    output: Output
    hosts: tuple[str, ...] = ()
    server: bool = True
    crl: CrlPlan | None = None
    ca_url: str | None = None
    revocation: Revocation | None = None
    renew_before: int = 0
    imported: ImportedCA | None = None
    fault: Fault | None = None
    key_of: str = ""
    trusted: bool = True
    trust: tuple[str, ...] = ()
    serving: tuple[Serving, ...] = ()
    ocsp: OcspPlan | None = None
    responding: Responding | None = None
    given: GivenKey | None = None

    @cached_property
    def id(self) -> str:
        """Return ``authorities/NAME`` or ``certificates/NAME``: the unique id and the directory."""
        return f"{self.role.value}/{self.name}"


@dataclass(frozen=True, slots=True)
class Issued:
    """An entity with its key (unencrypted PKCS#8 DER) and its certificates (DER).

    ``certificates`` are in the order of ``entity.certificates``; they are bytes because a faulty
    certificate may be unparsable. ``chain`` is DER from the issuing CA up to and including the root.
    ``public_key`` is the SubjectPublicKeyInfo.
    """

    entity: Entity
    key: bytes | None = field(repr=False)
    public_key: bytes
    certificates: tuple[bytes, ...]
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: path below the entity's directory (with ``/``), contents, and whether it is secret."""

    path: str
    data: bytes = field(repr=False)
    secret: bool = False
