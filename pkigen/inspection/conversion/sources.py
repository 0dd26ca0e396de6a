"""What the sources hold: certificates, one private key, and what else there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pkigen.errors import InputError, Problem, Refused
from pkigen.inspection.artifacts import (
    Artifact,
    Encoding,
    KeyFile,
    Kind,
    read_path,
)
from pkigen.inspection.artifacts.read import STANDARD_INPUT
from pkigen.x509 import Certificate

MAX_CERTIFICATES = 1000
_OTHERS = (Kind.CRL, Kind.REQUEST, Kind.PUBLIC_KEY)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything in the sources that can be converted, each thing once.

    ``keys`` are those that could be read, ``closed`` those that could not. ``others`` are CRLs,
    requests and public keys. ``aliases`` are what PKCS#12 calls its certificates.
    """

    sources: tuple[Path, ...]
    certificates: tuple[Certificate, ...] = ()
    keys: tuple[Artifact, ...] = ()
    closed: tuple[Artifact, ...] = ()
    others: tuple[Artifact, ...] = ()
    aliases: dict[Certificate, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """The sources in a message."""
        return ", ".join("standard input" if str(one) == STANDARD_INPUT else str(one) for one in self.sources)


def read_sources(paths: Sequence[Path], passphrases: Sequence[bytes] = ()) -> Material:
    """Read all files; InputError has one line for each thing in them that is damaged or does not open.

    A key that does not open is no error yet: it may not be needed.
    """
    found = tuple(artefact for path in dict.fromkeys(paths) for artefact in read_path(path, passphrases))
    passed = [one for one in found if _can_be_passed(one)]
    damaged = [one for one in found if one.problem and one.kind is not Kind.KEY and one not in passed]
    if damaged:
        raise InputError([_problem(one, passphrases) for one in damaged])
    certificates = tuple(dict.fromkeys(_certificates(found)))
    if len(certificates) > MAX_CERTIFICATES:
        count = f"{len(certificates):,} certificates"
        raise InputError(f"the sources hold {count}; a conversion takes {MAX_CERTIFICATES:,} at most")
    return Material(
        tuple(paths),
        certificates,
        tuple(_once(one for one in found if one.key is not None and one.key.pkcs8 is not None)),
        tuple(one for one in found if one.kind is Kind.KEY and one.problem),
        tuple({one.der: one for one in found if one.kind in _OTHERS and not one.problem}.values()),
        {one.certificate: one.friendly_name for one in found if one.certificate and one.friendly_name},
        tuple(f"{one.source}: {one.problem}; it is passed over" for one in passed),
    )


def single_key(material: Material, passphrases: Sequence[bytes]) -> KeyFile:
    """The one private key of the sources; an error in words when there is none, or several.

    Refused when the numbers of an RSA key do not belong together.
    """
    if material.closed:
        raise InputError([_problem(one, passphrases) for one in material.closed])
    if not material.keys:
        raise InputError(f"no private key is in {material.named}; give its file as another SOURCE")
    if len(material.keys) > 1:
        where = ", ".join(map(_place, material.keys))
        raise InputError(f"there are different private keys, give one: {where}")
    (found,) = material.keys
    assert found.key is not None
    if found.key.unsound:
        raise Refused(f"{found.source}: the key is damaged: {found.key.unsound}")
    return found.key


def _place(key: Artifact) -> str:
    return f"{key.source} '{key.friendly_name}'" if key.friendly_name else str(key.source)


def _can_be_passed(artefact: Artifact) -> bool:
    """Return whether an artifact is sound, but no output can contain it: DH PARAMETERS, a secret key."""
    source = artefact.source
    block = artefact.kind is Kind.UNKNOWN and source.encoding is Encoding.PEM and bool(artefact.der)
    return block or artefact.kind is Kind.SECRET_KEY


def _certificates(found: Iterable[Artifact]) -> Iterator[Certificate]:
    return (one.certificate for one in found if one.certificate is not None)


def _once(keys: Iterable[Artifact]) -> Iterator[Artifact]:
    """Each key once, in whatever formats it is there."""
    met = set()
    for one in keys:
        assert one.key is not None
        identity = one.key.public.der if one.key.public else one.key.pkcs8
        if identity not in met:
            met.add(identity)
            yield one


def _problem(artefact: Artifact, passphrases: Sequence[bytes]) -> Problem:
    """What is wrong with an artefact, and what to do about it."""
    words = artefact.problem
    if artefact.kind is Kind.UNKNOWN and _is_cut_off(artefact.der):
        words = "the file is cut off: it ends before what it holds does; get it again"
    elif "passphrase" in words:
        words += "; see the file of --passphrase-file" if passphrases else "; --passphrase-file FILE gives it"
    return Problem(words, where=str(artefact.source))


def _is_cut_off(data: bytes) -> bool:
    """Whether DER says that it is longer than the file; what says it is far longer is no DER."""
    if data[:1] != b"\x30" or len(data) < 2:
        return False
    octets = data[1] & 0x7F if data[1] & 0x80 else 0
    size = int.from_bytes(data[2 : 2 + octets], "big") if octets else data[1]
    return octets <= 3 and 2 + octets + size > len(data)
