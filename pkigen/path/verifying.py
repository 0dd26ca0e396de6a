"""Files -> a verdict: which certificate, which authorities, which anchors, which CRLs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pkigen.artefacts import Artefact, read, read_path
from pkigen.errors import InputError
from pkigen.path.fetching import Unreachable, fetch
from pkigen.path.problems import PathProblem, of_rule
from pkigen.path.validation import PathResult, Purpose, validate
from pkigen.x509 import Certificate, CertificateList, Malformed
from pkigen.x509.extensions import uris


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
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Verified:
    """The result; ``notes`` say what was assumed."""

    result: PathResult
    notes: tuple[str, ...]


def verify(asked: Verification) -> Verified:
    """Verify a certificate out of files; InputError for files that hold nothing of use."""
    leaf, beside = _leaf(asked)
    chain = [c for path in asked.chain for c in _certificates(path, asked.passphrases)]
    known, notes = [*beside, *chain], list[str]()
    anchors = [c for path in asked.trust for c in _certificates(path, asked.passphrases)]
    if not asked.trust:
        anchors = [c for c in (*known, leaf) if c.is_self_issued]
        notes.append(_assumed(anchors))
    crls = [crl for path in asked.crls for crl in _crls(path)]
    problems = list[PathProblem]()
    if asked.fetch_crls:
        for found in _fetched(_above(leaf, known, anchors), asked.proxy):
            if isinstance(found, CertificateList):
                crls.append(found)
            else:
                problems.append(found)
    result = validate(
        leaf,
        known,
        anchors,
        at=asked.at,
        crls=crls,
        check_crls=bool(crls or asked.fetch_crls),
        host=asked.host,
        purpose=asked.purpose,
        partial=bool(asked.trust) and not any(c.is_self_issued for c in anchors),
    )
    reached = {problem.depth for problem in problems}
    others = [p for p in result.problems if p.rule != "crl-missing" or p.depth not in reached]
    return Verified(replace(result, problems=(*problems, *others)), tuple(notes))


def _assumed(anchors: Sequence[Certificate]) -> str:
    if not anchors:
        return "No trust anchor was given, and no certificate is self-signed; give one with --trust."
    return "No --trust was given: the self-signed certificates among the files are trusted, as at an upload."


def _leaf(asked: Verification) -> tuple[Certificate, list[Certificate]]:
    """The first certificate that is not the issuer of another of the file; the others."""
    found = _certificates(asked.certificate, asked.passphrases)
    issuers = {c.issuer_der for c in found if not c.is_self_issued}
    leaf = next((c for c in found if c.subject_der not in issuers), found[0])
    return leaf, [c for c in found if c != leaf]


def _certificates(path: Path, passphrases: Sequence[bytes]) -> list[Certificate]:
    artefacts = read_path(path, passphrases)
    found = [a.certificate for a in artefacts if a.certificate is not None]
    if not found:
        raise InputError(f"{path} holds no certificate that can be read: {_problem(artefacts)}")
    return found


def _crls(path: Path) -> list[CertificateList]:
    artefacts = read_path(path)
    found = [a.crl for a in artefacts if a.crl is not None]
    if not found:
        raise InputError(f"{path} holds no CRL that can be read: {_problem(artefacts)}")
    return found


def _problem(artefacts: Sequence[Artefact]) -> str:
    first = artefacts[0]
    return first.problem or f"it is a {first.kind}"


def _above(
    leaf: Certificate, known: Sequence[Certificate], anchors: Sequence[Certificate]
) -> tuple[Certificate, ...]:
    """The certificates that need a CRL: the path without its root."""
    path = [leaf]
    while not path[-1].is_self_issued:
        names = (c for c in (*anchors, *known) if c.subject_der == path[-1].issuer_der and c not in path)
        above = next(names, None)
        if above is None:
            return tuple(path)
        path.append(above)
    return tuple(path[:-1])


def _fetched(path: Sequence[Certificate], proxy: str | None) -> Iterator[CertificateList | PathProblem]:
    """One CRL for each certificate, from the first of its URLs that serves one."""
    seen = dict[str, bytes]()
    for depth, certificate in enumerate(path):
        try:
            urls = tuple(uris(certificate.extensions.crl_distribution_points))
        except Malformed as error:
            yield of_rule("malformed", depth, certificate, detail=str(error))
            continue
        reasons = [] if urls else ["it states no URL"]
        for url in urls:
            try:
                seen[url] = seen.get(url) or fetch(url, proxy=proxy)
            except Unreachable as error:
                reasons.append(str(error))
                continue
            first = read(seen[url], url)[0]
            if first.crl is not None:
                yield first.crl
                break
            reasons.append(f"what {url} serves is no CRL: {first.problem or first.kind}")
        else:
            problem = of_rule("crl-missing", depth, certificate, detail="; ".join(reasons))
            advice = "Verify that the URL can be reached from here, or give the CRL with --crl."
            yield replace(problem, advice=advice)
