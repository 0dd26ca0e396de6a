"""Reads the sources of a conversion: certificates, a private key, CRLs, requests and public keys."""

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
    """The content of the sources that can be converted, without duplicates.

    ``keys`` are the readable private keys, ``closed`` the unreadable ones. ``others`` are CRLs, requests and
    public keys. ``aliases`` are the friendly names of certificates in PKCS#12 files.
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
        """The names of the sources, for a message."""
        return ", ".join("standard input" if str(one) == STANDARD_INPUT else str(one) for one in self.sources)


def read_sources(paths: Sequence[Path], passphrases: Sequence[bytes] = ()) -> Material:
    """Read all files; InputError has one line for each artifact that is damaged or cannot be decrypted.

    A key that cannot be decrypted is not an error yet, because the conversion may not need it.
    """
    artifacts = tuple(artifact for path in dict.fromkeys(paths) for artifact in read_path(path, passphrases))
    skipped = [one for one in artifacts if _can_be_skipped(one)]
    damaged = [one for one in artifacts if one.problem and one.kind is not Kind.KEY and one not in skipped]
    if damaged:
        raise InputError([_problem(one) for one in damaged])
    certificates = tuple(dict.fromkeys(_certificates(artifacts)))
    if len(certificates) > MAX_CERTIFICATES:
        count = f"{len(certificates):,} certificates"
        raise InputError(f"the sources contain {count}; the limit is {MAX_CERTIFICATES:,}")
    return Material(
        tuple(paths),
        certificates,
        tuple(_once(one for one in artifacts if one.key is not None and one.key.pkcs8 is not None)),
        tuple(one for one in artifacts if one.kind is Kind.KEY and one.problem),
        tuple({one.der: one for one in artifacts if one.kind in _OTHERS and not one.problem}.values()),
        {one.certificate: one.friendly_name for one in artifacts if one.certificate and one.friendly_name},
        tuple(f"{one.source}: {one.problem}; skipped" for one in skipped),
    )


def single_key(material: Material, passphrases: Sequence[bytes]) -> KeyFile:
    """Return the private key of the sources; InputError if there is none, or several.

    Raises Refused if the numbers of an RSA key are inconsistent.
    """
    if material.closed:
        raise InputError([_problem(one) for one in material.closed])
    if not material.keys:
        raise InputError(f"there is no private key in {material.named}; add its file as another SOURCE")
    if len(material.keys) > 1:
        where = ", ".join(map(_place, material.keys))
        raise InputError(f"there are several private keys; specify one of {where}")
    (artifact,) = material.keys
    assert artifact.key is not None
    if artifact.key.unsound:
        raise Refused(f"{artifact.source}: the key is damaged: {artifact.key.unsound}")
    return artifact.key


def _place(key: Artifact) -> str:
    return f"{key.source} '{key.friendly_name}'" if key.friendly_name else str(key.source)


def _can_be_skipped(artifact: Artifact) -> bool:
    """Return whether an artifact is intact, but no output can contain it: DH PARAMETERS, a secret key."""
    source = artifact.source
    block = artifact.kind is Kind.UNKNOWN and source.encoding is Encoding.PEM and bool(artifact.der)
    return block or artifact.kind is Kind.SECRET_KEY


def _certificates(artifacts: Iterable[Artifact]) -> Iterator[Certificate]:
    return (one.certificate for one in artifacts if one.certificate is not None)


def _once(keys: Iterable[Artifact]) -> Iterator[Artifact]:
    """Yield each key once, even if it occurs in several formats."""
    seen = set()
    for one in keys:
        assert one.key is not None
        identity = one.key.public.der if one.key.public else one.key.pkcs8
        if identity not in seen:
            seen.add(identity)
            yield one


def _problem(artifact: Artifact) -> Problem:
    """Return the problem of an artifact with its remedy."""
    words = artifact.advised_problem
    if artifact.kind is Kind.UNKNOWN and _is_truncated(artifact.der):
        words = "the file is truncated; obtain it again"
    return Problem(words, where=str(artifact.source))


def _is_truncated(data: bytes) -> bool:
    """Return whether DER states a length beyond the end of the file; a huge length is not DER."""
    if data[:1] != b"\x30" or len(data) < 2:
        return False
    length_bytes = data[1] & 0x7F if data[1] & 0x80 else 0
    size = int.from_bytes(data[2 : 2 + length_bytes], "big") if length_bytes else data[1]
    return length_bytes <= 3 and 2 + length_bytes + size > len(data)
