"""How artefacts belong together: by key, by name and signature, by serial number."""

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
"""Signatures that are tried in one go: among many of one name every pair may have to be."""


class RelationKind(Enum):
    """What one artefact is to another; read as ``subject TIE object``."""

    SAME_AS = "the same octets"
    KEY_OF = "the private key of"
    ISSUED_BY = "issued by, by name and signature"
    NOT_ISSUED_BY = "issued by, by name, but not signed with that key"
    REVOKED_BY = "listed by that CRL of its issuer"


@dataclass(frozen=True, slots=True)
class Relation:
    """Two artefacts by their places among those given, counted from 0, and what ties them."""

    subject: int
    tie: RelationKind
    object: int
    detail: str = ""


def relate(artefacts: Sequence[Artifact]) -> tuple[tuple[Relation, ...], bool]:
    """Every tie between the artefacts, in the order of the subjects; whether all signatures were tried.

    Of equal certificates one stands for all where issuers are looked for.
    """
    chosen = _representatives(artefacts)
    attempts = iter(range(MAX_VERIFICATIONS))
    found = [*_same(artefacts, chosen), *_keys(artefacts), *_issued(artefacts, chosen, attempts)]
    found.sort(key=lambda relation: (relation.subject, relation.object))
    return tuple(found), next(attempts, None) is not None


def public_key_of(artefact: Artifact) -> bytes | None:
    """The SubjectPublicKeyInfo in an artefact, or that belongs to it."""
    if artefact.certificate:
        return artefact.certificate.subject_public_key_info
    if artefact.request:
        return artefact.request.subject_public_key_info
    if artefact.key:
        return artefact.key.public.der if artefact.key.public else None
    return artefact.der if artefact.kind is Kind.PUBLIC_KEY else None


def _representatives(artefacts: Sequence[Artifact]) -> dict[bytes, int]:
    """Of equal certificates, CRLs and requests the one that people know best: that has a file of its own."""
    neighbours = Counter(artefact.source.file for artefact in artefacts)
    found: dict[bytes, int] = {}
    for index, artefact in enumerate(artefacts):
        if artefact.certificate or artefact.crl or artefact.request:
            best = found.setdefault(artefact.der, index)
            if neighbours[artefact.source.file] < neighbours[artefacts[best].source.file]:
                found[artefact.der] = index
    return found


def _same(artefacts: Sequence[Artifact], representatives: Mapping[bytes, int]) -> Iterator[Relation]:
    for index, artefact in enumerate(artefacts):
        if artefact.certificate or artefact.crl or artefact.request:
            best = representatives[artefact.der]
            if best != index:
                yield Relation(index, RelationKind.SAME_AS, best)


def _keys(artefacts: Sequence[Artifact]) -> Iterator[Relation]:
    holders = defaultdict[bytes | None, list[int]](list)
    for index, artefact in enumerate(artefacts):
        public = public_key_of(artefact)
        if public is not None and not artefact.key:
            holders[key_bits(public)].append(index)
    for index, artefact in enumerate(artefacts):
        if artefact.key and artefact.key.public and (bits := key_bits(artefact.key.public.der)):
            for other in holders.get(bits, ()):
                yield Relation(index, RelationKind.KEY_OF, other)


def _issued(
    artefacts: Sequence[Artifact], representatives: Mapping[bytes, int], attempts: Iterator[int]
) -> Iterator[Relation]:
    chosen = [(index, artefacts[index]) for index in representatives.values()]
    certificates = [(index, found.certificate) for index, found in chosen if found.certificate]
    crls = [(index, found.crl) for index, found in chosen if found.crl]
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
    """Those whose key made the signature; if nobody's did, those that have the issuer's name."""
    good, bad = [], []
    for (other, issuer), _ in zip(candidates, attempts, strict=False):
        found = verdict(signed, issuer.subject_public_key_info)
        if found is Verdict.GOOD:
            good.append(Relation(index, RelationKind.ISSUED_BY, other))
        elif found is Verdict.BAD:
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
