"""Files -> a verdict: which certificate, which authorities, which anchors, which CRLs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artifact, Kind, read_path
from pkigen.inspection.path.crl_checks import is_delta
from pkigen.inspection.path.crl_retrieval import CrlRetriever, validate_online
from pkigen.inspection.path.host_names import invalid_host, uses_common_name
from pkigen.inspection.path.http_fetch import invalid_proxy
from pkigen.inspection.path.policies import ANY_POLICIES, PolicyOptions
from pkigen.inspection.path.validation import PathResult, Purpose, validate
from pkigen.x509 import Certificate, CertificateList, Malformed

_BY_COMMON_NAME = "The host is found in the common name alone: appliances take that, browsers do not."


@dataclass(frozen=True)
class Verification:
    """What is to be verified, and how.

    Without ``trust`` the self-signed certificates among all that was given are trusted, as at an
    appliance's upload. CRLs are looked at when there are any, or when they are to be fetched.
    """

    certificate: Path
    at: datetime
    chain: tuple[Path, ...] = ()
    trust: tuple[Path, ...] = ()
    crls: tuple[Path, ...] = ()
    fetch_crls: bool = False
    proxy: str | None = None
    host: str | None = None
    purpose: Purpose = "any"
    policy: PolicyOptions = ANY_POLICIES
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class VerifiedCertificate:
    """The result; ``notes`` say what was assumed, and what of the files was left out."""

    result: PathResult
    notes: tuple[str, ...]


def verify(asked: Verification) -> VerifiedCertificate:
    """Verify a certificate out of files; InputError for files that hold nothing of use."""
    if asked.proxy is not None and (words := invalid_proxy(asked.proxy)):
        raise InputError(words)
    if asked.host is not None and (words := invalid_host(asked.host)):
        raise InputError(words)
    if asked.proxy is not None and not asked.fetch_crls:
        raise InputError("a proxy is used for fetching CRLs alone; ask for that, too")
    notes = list[str]()
    leaf, beside = _leaf(_certificates((asked.certificate,), asked.passphrases, notes))
    known = [*beside, *_certificates(asked.chain, asked.passphrases, notes)]
    anchors = _certificates(asked.trust, asked.passphrases, notes)
    partial = bool(anchors) and not any(c.is_self_issued for c in anchors)
    if not asked.trust:
        anchors = [c for c in (*known, leaf) if c.is_self_issued]
        notes.append(_assumed(anchors))
    crls = _crls(asked.crls, notes)
    if asked.fetch_crls:
        fetched = CrlRetriever(asked.proxy)
        result = validate_online(
            leaf,
            known,
            anchors,
            fetched,
            at=asked.at,
            crls=crls,
            host=asked.host,
            purpose=asked.purpose,
            partial=partial,
            policy=asked.policy,
        )
        notes += fetched.notes
    else:
        result = validate(
            leaf,
            known,
            anchors,
            at=asked.at,
            crls=crls,
            check_crls=bool(crls),
            host=asked.host,
            purpose=asked.purpose,
            partial=partial,
            policy=asked.policy,
        )
    if asked.host is not None and _goes_by_common_name(leaf, result):
        notes.append(_BY_COMMON_NAME)
    return VerifiedCertificate(result, tuple(notes))


def _assumed(anchors: Sequence[Certificate]) -> str:
    if not anchors:
        return "No trust anchor was given, and no certificate is self-signed; give one with --trust."
    return "No --trust was given: the self-signed certificates among the files are trusted, as at an upload."


def _goes_by_common_name(leaf: Certificate, result: PathResult) -> bool:
    try:
        return uses_common_name(leaf) and not any(p.rule == "hostname" for p in result.problems)
    except Malformed:
        return False


def _leaf(found: list[Certificate]) -> tuple[Certificate, list[Certificate]]:
    """The first certificate that is not the issuer of another of its file; the others."""
    issuers = {c.issuer_der for c in found if not c.is_self_issued}
    leaf = next((c for c in found if c.subject_der not in issuers), found[0])
    return leaf, [c for c in found if c != leaf]


def _certificates(paths: Sequence[Path], passphrases: Sequence[bytes], notes: list[str]) -> list[Certificate]:
    certificates = list[Certificate]()
    for path in paths:
        artefacts = read_path(path, passphrases)
        found = [a.certificate for a in artefacts if a.certificate is not None]
        if not found:
            raise InputError(f"{path} holds no certificate that can be read: {_problem(artefacts)}")
        certificates += found
        notes += _left_out(artefacts, Kind.CERTIFICATE)
    return certificates


def _crls(paths: Sequence[Path], notes: list[str]) -> list[CertificateList]:
    crls = list[CertificateList]()
    for path in paths:
        artefacts = read_path(path)
        found = [a.crl for a in artefacts if a.crl is not None]
        if not found:
            raise InputError(f"{path} holds no CRL that can be read: {_problem(artefacts)}")
        crls += found
        notes += _left_out(artefacts, Kind.CRL)
        deltas = (a for a in artefacts if a.crl is not None and is_delta(a.crl))
        notes += [f"{a.source} is left out: a delta CRL lists changes alone." for a in deltas]
    return crls


def _left_out(artefacts: Sequence[Artifact], kind: Kind) -> list[str]:
    damaged = [a for a in artefacts if a.problem and a.kind is kind]
    return [f"{a.source} is left out, a {a.kind} that cannot be read: {a.problem}." for a in damaged]


def _problem(artefacts: Sequence[Artifact]) -> str:
    if not artefacts:
        return "the response is empty"
    first = artefacts[0]
    return first.problem or f"it is a {first.kind}"
