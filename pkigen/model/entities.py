"""Who has certificates: authorities and end entities, planned and issued."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pkigen.model.certificates import CertificatePlan
from pkigen.model.revocation import CrlPlan, OcspPlan, Responding, Revocation


class Role(StrEnum):
    """What an entity is; the value is also the name of the folder that holds its kind."""

    AUTHORITY = "authorities"
    CERTIFICATE = "certificates"


@dataclass(frozen=True)
class Alteration:
    """A way in which a file of an entity is written wrong: which file, how, with what.

    ``file`` is one of certificate, key, chain, pkcs12; ``how`` names a function of
    ``formats.alterations``.
    """

    file: str
    how: str
    argument: str = ""


@dataclass(frozen=True)
class Output:
    """How an entity's files are written. ``alias`` and ``pkcs12_passphrase`` are for PKCS#12.

    ``alterations`` are made in order to the files that they name, once all are written.
    """

    formats: tuple[str, ...] = ()
    key_format: str = "pkcs8"
    passphrase: bytes | None = field(default=None, repr=False)
    pkcs12_passphrase: bytes = field(default=b"", repr=False)
    alias: str = ""
    alterations: tuple[Alteration, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What is wrong with an entity on purpose, and what is to be expected of it.

    ``base`` is the name of the sound certificate. Of a case of a requirement set ``against``,
    ``violates`` are the requirements that it breaks, by id, ``accepted`` is the appliance's verdict at
    upload and ``messages`` what it says; of a fault of the catalogue these say nothing. ``stage`` is
    where it shows (file, parse, path, name, revocation ...), None for what only an appliance sees.
    ``expected`` is what a strict validator of paths does: accept, reject, or varies; ``verdict`` is the
    class of a fault of the catalogue (R, A, P, V), ``shows`` how it shows and what a client should do;
    ``family`` is where it stands in the catalogue.
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


@dataclass(frozen=True)
class Serving:
    """How a server answers wrong: at which URL, or in the handshake (``tls``), how, with what.

    ``how`` is one of status, slow, late, truncated, oversize, media-type, redirect, loop, reset, tls-alert,
    html, pem, other (for URLs), and of the names of the family ``transport`` without their ``tls-`` for
    handshakes.
    """

    url: str
    how: str
    argument: str = ""


@dataclass(frozen=True)
class ImportedCA:
    """An authority that came from files: its certificate, those above it, its key (PKCS#8)."""

    certificate: bytes
    chain: tuple[bytes, ...]
    key: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Entity:
    """An authority or an end entity: one key, one or more certificates for it, one folder.

    ``certificates[0]`` is the certificate that ``NAME.crt`` holds, the others are
    cross-certificates. ``issuers`` are the ids of the authorities above, from the issuing CA up to
    and with the root (empty for a root and for a self-signed end entity). ``renew_before`` counts
    the seconds before the end of the main certificate from which on a build issues it anew.

    ``key_of`` is another entity whose key it has, or a word for a key that all who say it share.
    ``trusted`` says whether a self-signed authority is a trust anchor; ``trust`` are the ids of what
    clients of an end entity trust, if that is not the root of its path. ``serving`` is what a server
    does wrong for it, ``ocsp`` the answer that is given about it, ``responding`` says who answers for it.
    """

    role: Role
    name: str
    key: str
    certificates: tuple[CertificatePlan, ...]
    issuers: tuple[str, ...]
    output: Output
    hosts: tuple[str, ...] = ()
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

    @property
    def id(self) -> str:
        """``authorities/NAME`` or ``certificates/NAME``: unique, and the folder's path."""
        return f"{self.role.value}/{self.name}"


@dataclass(frozen=True, slots=True)
class Issued:
    """An entity with its key (PKCS#8 DER, not encrypted) and its certificates (DER).

    ``certificates`` are in the order of ``entity.certificates``; they are bytes because a faulty
    one need not parse. ``chain`` is DER from the issuing CA up to and with the root.
    ``public_key`` is the SubjectPublicKeyInfo.
    """

    entity: Entity
    key: bytes | None = field(repr=False)
    public_key: bytes
    certificates: tuple[bytes, ...]
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: path below the entity's folder (``/`` separated), bytes, secret or not."""

    path: str
    data: bytes = field(repr=False)
    secret: bool = False
