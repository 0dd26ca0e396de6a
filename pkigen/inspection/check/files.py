"""Any mixture of files -> the certificates in them, each with its key, its chain, its CRLs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pkigen.errors import InputError
from pkigen.inspection.artifacts import Artifact, Kind, read_path
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.inspection.path import read_input
from pkigen.requirements import CheckInput, RequirementSet
from pkigen.requirements.crl_lookup import CrlLookup
from pkigen.x509 import Certificate, Malformed

MAX_LEAVES = 500
"""Of files; an environment can have any number."""


def check_files(
    paths: Sequence[Path], sets: Sequence[RequirementSet], options: CheckOptions
) -> tuple[CheckResult, ...]:
    """One result for each end entity's certificate; InputError for a file that cannot be opened."""
    artefacts = [found for path in paths for found in read_input(path, options.passphrases)]
    anchors = _certificates(options.trust, options.passphrases)
    crls = [f.crl for path in options.crls for f in read_path(path) if f.crl is not None]
    crls += [found.crl for found in artefacts if found.crl is not None]
    looker = CrlLookup(crls, online=options.online, proxy=options.proxy)
    leaves = _leaves(artefacts)
    if len(leaves) > MAX_LEAVES:
        raise InputError(f"{len(leaves):,} certificates to check, and {MAX_LEAVES} are the limit at once")
    unread = [found for found in artefacts if found.problem and found.key is None]
    shown = CheckInput(
        now=options.now, anchors=tuple(anchors), look=looker.look, validation=options.validation
    )
    requests = [found for found in artefacts if found.request is not None]
    if not leaves and requests:
        return tuple(_of_request(found, artefacts, shown, sets, unread) for found in requests)
    if not leaves:
        keys = [found for found in artefacts if found.key is not None]
        if keys and not unread and len(keys) == len(artefacts):
            alone = replace(shown, key=keys[0].key, key_source=keys[0].source)
            return (check(keys[0].source.file, alone, sets),)
        return (check(str(paths[0]), shown, sets, unread or artefacts),)
    return tuple(
        check(
            leaf.source.file,
            replace(
                _presented(shown, leaf, _without_others(leaf, leaves, artefacts), alone=len(leaves) == 1),
                look=looker.by_issuer(leaf),
            ),
            sets,
            unread,
        )
        for leaf in leaves
    )


def _without_others(
    leaf: Artifact, leaves: Sequence[Artifact], artefacts: Sequence[Artifact]
) -> list[Artifact]:
    """All but the files that hold no certificates but those of other leaves: no chain is in them."""
    if len(leaves) == 1:
        return list(artefacts)
    others = {one.der for one in leaves} - {leaf.der}
    held = dict[str, set[bytes]]()
    for found in artefacts:
        if found.certificate is not None:
            held.setdefault(found.source.file, set()).add(found.der)
    theirs = {file for file, certificates in held.items() if certificates <= others}
    return [found for found in artefacts if found.certificate is None or found.source.file not in theirs]


def _of_request(
    found: Artifact,
    artefacts: Sequence[Artifact],
    shown: CheckInput,
    sets: Sequence[RequirementSet],
    unread: Sequence[Artifact],
) -> CheckResult:
    """A request judged by what it asks for: subject, key, alternative names; and its key's file."""
    assert found.request is not None
    try:
        stand_in = replace(found, value=found.request.as_certificate())
    except Malformed as error:
        return check(found.source.file, shown, sets, (*unread, replace(found, problem=str(error))))
    presented = _presented(shown, stand_in, artefacts, alone=True)
    presented = replace(presented, certificate_source=None, chain=None, requested=True)
    return check(found.source.file, presented, sets, unread)


def _certificates(paths: Sequence[Path], passphrases: Sequence[bytes]) -> list[Certificate]:
    found = [f for path in paths for f in read_path(path, passphrases)]
    certificates = [f.certificate for f in found if f.certificate is not None]
    if paths and not certificates:
        raise InputError(f"there is no certificate in {', '.join(map(str, paths))}")
    return certificates


def _leaves(artefacts: Sequence[Artifact]) -> list[Artifact]:
    """The certificates that are checked: those that a key fits or that issued none of the others.

    CAs are left out where there is anything else. One that is in several files counts once, as it
    stands in the file with the fewest things in it.
    """
    certificates = [found for found in artefacts if found.certificate is not None]
    sizes = {found.source.file: 0 for found in artefacts}
    for found in artefacts:
        sizes[found.source.file] += 1
    ranked = sorted(certificates, key=lambda found: sizes[found.source.file])
    unique = {found.der: found for found in reversed(ranked)}
    in_order = [unique[der] for der in dict.fromkeys(found.der for found in certificates)]
    keys = {found.key.public.der for found in artefacts if found.key and found.key.public}
    held = [(one, one.certificate) for one in in_order if one.certificate is not None]
    issuers = {certificate.issuer_der for _, certificate in held if not certificate.is_self_issued}
    lowest = [(one, certificate) for one, certificate in held if certificate.subject_der not in issuers]
    leaves = [
        one
        for one, certificate in lowest
        if certificate.subject_public_key_info in keys or not certificate.is_authority
    ]
    return leaves or [one for one, _ in lowest] or in_order[:1]


def _presented(
    shown: CheckInput, leaf: Artifact, artefacts: Sequence[Artifact], *, alone: bool
) -> CheckInput:
    """The leaf with the key that fits it (or the only one), and the chain from wherever it came."""
    assert leaf.certificate is not None
    keys = [found for found in artefacts if found.key is not None]
    spki = leaf.certificate.subject_public_key_info
    fitting = [k for k in keys if k.key and k.key.public and k.key.public.der == spki]
    key = next(iter(fitting or (keys if alone else [])), None)
    chain = _chain(leaf, artefacts)
    return replace(
        shown,
        certificate=leaf.certificate,
        certificate_source=leaf.source,
        key=key.key if key else None,
        key_source=key.source if key else None,
        chain=chain or None,
    )


def _chain(leaf: Artifact, artefacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """What is in the files that hold other certificates; the leaf's own file without the leaf."""
    others = {f.source.file for f in artefacts if f.certificate is not None and f.der != leaf.der}
    others |= {f.source.file for f in artefacts if f.kind is Kind.PKCS7}
    elsewhere = others - {leaf.source.file}
    if elsewhere:
        return tuple(found for found in artefacts if found.source.file in elsewhere and _is_content(found))
    return tuple(found for found in artefacts if found.certificate is not None and found.der != leaf.der)


def _is_content(found: Artifact) -> bool:
    """CRLs that lie in the same file are welcome, and no part of a chain."""
    return found.kind is not Kind.CRL
