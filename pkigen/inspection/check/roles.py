"""Finds out which of several certificates are to be checked, and which keys and chains belong to them."""

from __future__ import annotations

from collections.abc import Sequence

from pkigen.inspection.artifacts import Artifact, Kind
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.public_key import key_bits, same_key


def certificates_to_check(artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Return the certificates whose key was given, or that issued no other; CAs only if there is no other.

    A certificate in several files counts once, in the file with the fewest objects.
    """
    certificates = [one for one in artifacts if one.certificate is not None]
    sizes = {one.source.file: 0 for one in artifacts}
    for one in artifacts:
        sizes[one.source.file] += 1
    ranked = sorted(certificates, key=lambda one: sizes[one.source.file])
    unique = {one.der: one for one in reversed(ranked)}
    in_order = [unique[der] for der in dict.fromkeys(one.der for one in certificates)]
    keys = {key_bits(one.key.public.der) for one in artifacts if one.key and one.key.public}
    parsed = [(one, one.certificate) for one in in_order if one.certificate is not None]
    issuers = {certificate.normalized_issuer for _, certificate in parsed if not certificate.is_self_issued}
    lowest = [
        (one, certificate) for one, certificate in parsed if certificate.normalized_subject not in issuers
    ]
    leaves = [
        one
        for one, certificate in lowest
        if key_bits(certificate.subject_public_key_info) in keys or not certificate.is_authority
    ]
    return leaves or [one for one, _ in lowest] or in_order[:1]


def without_other_leaves(
    leaf: Artifact, leaves: Sequence[Artifact], artifacts: Sequence[Artifact]
) -> list[Artifact]:
    """Return all artifacts except those of files that contain only other certificates to check."""
    if len(leaves) == 1:
        return list(artifacts)
    others = {one.der for one in leaves} - {leaf.der}
    by_file = dict[str, set[bytes]]()
    for one in artifacts:
        if one.certificate is not None:
            by_file.setdefault(one.source.file, set()).add(one.der)
    excluded = {file for file, certificates in by_file.items() if certificates <= others}
    return [one for one in artifacts if one.certificate is None or one.source.file not in excluded]


def is_ca(certificate: Certificate, *, with_key: bool) -> bool:
    """Return whether a certificate is checked as a CA; ``with_key``: its key is among the inputs.

    ``openssl req -x509`` marks every certificate as a CA. A self-signed one without keyCertSign that comes
    with its key is meant for an appliance.
    """
    if not with_key or not certificate.is_self_issued:
        return certificate.is_authority
    try:
        return certificate.is_authority and "keyCertSign" in (certificate.extensions.key_usage or ())
    except Malformed:
        return certificate.is_authority


def key_of(leaf: Artifact, artifacts: Sequence[Artifact], *, alone: bool) -> Artifact | None:
    """Return the key that matches a certificate, or the only key if the certificate is ``alone``."""
    assert leaf.certificate is not None
    keys = [one for one in artifacts if one.key is not None]
    spki = leaf.certificate.subject_public_key_info
    matching = [one for one in keys if one.key and one.key.public and same_key(one.key.public.der, spki)]
    return next(iter(matching or (keys if alone else [])), None)


def chain_of(leaf: Artifact, artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Return the contents of the files with other certificates; of the leaf's own file without the leaf.

    CRLs in such a file are no part of the chain.
    """
    files = {one.source.file for one in artifacts if one.certificate is not None and one.der != leaf.der}
    files |= {one.source.file for one in artifacts if one.kind is Kind.PKCS7}
    files -= {leaf.source.file}
    if files:
        return tuple(one for one in artifacts if one.source.file in files and one.kind is not Kind.CRL)
    return tuple(one for one in artifacts if one.certificate is not None and one.der != leaf.der)
