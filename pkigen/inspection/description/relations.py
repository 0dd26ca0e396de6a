"""Finds the relations between artifacts: by key, by name and signature, by serial number."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pkigen.inspection.artifacts import Artifact, Kind
from pkigen.inspection.description.certificate import is_self_signed
from pkigen.inspection.description.crl import reason
from pkigen.inspection.description.words import instant
from pkigen.keys.verify import Verdict, verdict
from pkigen.x509 import Certificate, CertificateList
from pkigen.x509.public_key import key_bits

Signed = Certificate | CertificateList

MAX_VERIFICATIONS = 5_000
"""Maximum number of signatures to verify; certificates with the same name may all have to be tried."""


class RelationKind(Enum):
    """The kind of a relation; read as ``subject RELATION object``."""

    SAME_AS = "has the same content as"
    KEY_OF = "the private key of"
    ISSUED_BY = "issued by, by name and signature"
    NOT_ISSUED_BY = "issued by, by name, but not signed with that key"
    REVOKED_BY = "listed by that CRL of its issuer"


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between two artifacts, given by their indexes."""

    subject: int
    kind: RelationKind
    object: int
    detail: str = ""


def relate(artifacts: Sequence[Artifact]) -> tuple[tuple[Relation, ...], bool]:
    """Return the relations, ordered by subject, and whether all signatures were verified.

    Only one of several equal certificates is considered as an issuer.
    """
    chosen = _representatives(artifacts)
    attempts = iter(range(MAX_VERIFICATIONS))
    relations = [*_same(artifacts, chosen), *_keys(artifacts), *_issued(artifacts, chosen, attempts)]
    relations.sort(key=lambda relation: (relation.subject, relation.object))
    return tuple(relations), next(attempts, None) is not None


def public_key_of(artifact: Artifact) -> bytes | None:
    """Return the SubjectPublicKeyInfo of an artifact, or None."""
    if artifact.certificate:
        return artifact.certificate.subject_public_key_info
    if artifact.request:
        return artifact.request.subject_public_key_info
    if artifact.key:
        return artifact.key.public.der if artifact.key.public else None
    return artifact.der if artifact.kind is Kind.PUBLIC_KEY else None


def _representatives(artifacts: Sequence[Artifact]) -> dict[bytes, int]:
    """Return the index of each certificate, CRL and request; of equal ones, prefer one alone in its file."""
    counts = Counter(artifact.source.file for artifact in artifacts)
    indexes: dict[bytes, int] = {}
    for index, artifact in enumerate(artifacts):
        if artifact.certificate or artifact.crl or artifact.request:
            best = indexes.setdefault(artifact.der, index)
            if counts[artifact.source.file] < counts[artifacts[best].source.file]:
                indexes[artifact.der] = index
    return indexes


def _same(artifacts: Sequence[Artifact], representatives: Mapping[bytes, int]) -> Iterator[Relation]:
    for index, artifact in enumerate(artifacts):
        if artifact.certificate or artifact.crl or artifact.request:
            best = representatives[artifact.der]
            if best != index:
                yield Relation(index, RelationKind.SAME_AS, best)


def _keys(artifacts: Sequence[Artifact]) -> Iterator[Relation]:
    holders = defaultdict[bytes | None, list[int]](list)
    for index, artifact in enumerate(artifacts):
        public = public_key_of(artifact)
        if public is not None and not artifact.key:
            holders[key_bits(public)].append(index)
    for index, artifact in enumerate(artifacts):
        if artifact.key and artifact.key.public and (bits := key_bits(artifact.key.public.der)):
            for other in holders.get(bits, ()):
                yield Relation(index, RelationKind.KEY_OF, other)


def _issued(
    artifacts: Sequence[Artifact], representatives: Mapping[bytes, int], attempts: Iterator[int]
) -> Iterator[Relation]:
    chosen = [(index, artifacts[index]) for index in representatives.values()]
    certificates = [(index, one.certificate) for index, one in chosen if one.certificate]
    crls = [(index, one.crl) for index, one in chosen if one.crl]
    by_subject = defaultdict[object, list[tuple[int, Certificate]]](list)
    for index, certificate in certificates:
        by_subject[certificate.normalized_subject].append((index, certificate))
    everything: list[tuple[int, Signed]] = [*certificates, *crls]
    for index, signed in everything:
        if isinstance(signed, Certificate) and is_self_signed(signed):
            continue
        named = by_subject.get(signed.normalized_issuer, ())
        candidates = (pair for pair in named if pair[0] != index)
        yield from _issuers(index, signed, candidates, attempts)
    yield from _revoked(certificates, crls)


def _issuers(
    index: int,
    signed: Signed,
    candidates: Iterable[tuple[int, Certificate]],
    attempts: Iterator[int],
) -> Iterator[Relation]:
    """Yield the issuers whose key verifies the signature; if none does, those with the issuer's name."""
    good, bad = [], []
    for (other, issuer), _ in zip(candidates, attempts, strict=False):
        result = verdict(signed, issuer.subject_public_key_info)
        if result is Verdict.GOOD:
            good.append(Relation(index, RelationKind.ISSUED_BY, other))
        elif result is Verdict.BAD:
            bad.append(Relation(index, RelationKind.NOT_ISSUED_BY, other))
    yield from good or bad


def _revoked(
    certificates: Sequence[tuple[int, Certificate]], crls: Sequence[tuple[int, CertificateList]]
) -> Iterator[Relation]:
    by_issuer = defaultdict[object, list[tuple[int, CertificateList]]](list)
    for index, crl in crls:
        by_issuer[crl.normalized_issuer].append((index, crl))
    for index, certificate in certificates:
        for other, crl in by_issuer.get(certificate.normalized_issuer, ()):
            try:
                entry = crl.entry(certificate.serial)
            except ValueError:
                continue
            if entry is not None:
                detail = f"{reason(entry)}, {instant(entry.at)}"
                yield Relation(index, RelationKind.REVOKED_BY, other, detail)
