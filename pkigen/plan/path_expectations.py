"""Predicts the result of path validation (RFC 5280, 6.1) for planned certificates.

The certificates are encoded with one throwaway key for all subjects and validated like issued ones, so
that the expected verdicts agree with ``pkigen verify``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from pkigen.asn1 import der, oids
from pkigen.issue import Signer, certificate
from pkigen.keys import key_identifier, public_key_info
from pkigen.keys.signing import sign, signature_algorithm
from pkigen.model import CertificatePlan, Entity, Extension, Name, Signature
from pkigen.x509 import Certificate, Malformed

if TYPE_CHECKING:
    from pkigen.inspection.path import Purpose

_ANY_PURPOSE: tuple[Purpose, ...] = ("any",)
_PURPOSES: tuple[Purpose, ...] = ("server", "client", "any")
"""The purposes of an end entity, in the order in which they are tried."""
_PLAIN_NAMES = (0x81, 0x82, 0x86, 0x87, 0x88)
"""Tags of GeneralNames whose contents matter only to name constraints."""


class PathDefect(NamedTuple):
    """Why no client accepts a certificate: the stage of the validation, and the reason for people."""

    stage: str
    reason: str


class PathExpectations:
    """Validates planned end entities at a clock (UTC), whatever their own validity and revocation.

    ``times`` maps the ids of authorities that are already issued to their not_before and not_after.
    """

    def __init__(self, authorities: Iterable[Entity], clock: datetime) -> None:
        self.times: dict[str, tuple[datetime, datetime]] = {}
        self._authorities = {entity.id: entity for entity in authorities}
        self._serials = {authority: number for number, authority in enumerate(self._authorities, 2)}
        self._clock = clock
        self._chains: dict[tuple[str, ...], tuple[Certificate, ...]] = {}
        self._defects: dict[object, PathDefect | None] = {}

    def defect(self, entity: Entity) -> PathDefect | None:
        """Return the first defect of an end entity's path, None if the path is valid.

        For a case with a fault, only the authorities without a fault count: the fault declares its verdict.
        """
        plan, issuers, purposes = entity.certificates[0], entity.issuers, _PURPOSES
        if entity.fault is not None:
            issuers = tuple(one for one in issuers if self._authorities[one].fault is None)
            plan, purposes = replace(plan, subject=(), extensions=()), _ANY_PURPOSE
        if not issuers:
            return None
        if entity.fault is not None:
            plan = replace(plan, issuer=self._issuer_name(entity, issuers))
        constrained = any(one.extensions.raw(oids.NAME_CONSTRAINTS) for one in self._chain(issuers))
        if constrained and entity.fault is None:
            return self._find_defect(issuers, plan, purposes)
        key = issuers, _relevant(plan.extensions), purposes
        if key not in self._defects:
            self._defects[key] = self._find_defect(issuers, plan, purposes)
        return self._defects[key]

    def _issuer_name(self, entity: Entity, issuers: tuple[str, ...]) -> Name:
        """Return the name of the first of ``issuers``: the case's own copies of CAs have other names."""
        issuer = self._authorities[issuers[0]]
        if issuer.certificates:
            return issuer.certificates[0].subject
        copies = len(entity.issuers) - len(issuers)
        below = self._authorities[entity.issuers[copies - 1]] if copies else entity
        return below.certificates[0].issuer

    def _find_defect(
        self, issuers: tuple[str, ...], plan: CertificatePlan, purposes: tuple[Purpose, ...]
    ) -> PathDefect | None:
        from pkigen.inspection.path import validate
        from pkigen.inspection.path.problems import describe_certificate

        chain, leaf = self._chain(issuers), self._leaf(issuers[0], plan)
        partial = not chain[-1].is_self_issued
        for purpose in purposes:
            problems = validate(
                leaf, chain[:-1], chain[-1:], at=self._clock, purpose=purpose, partial=partial
            ).problems
            if any(problem.rule == "purpose" and problem.depth == 0 for problem in problems):
                continue
            for problem in problems:
                stage = "parse" if problem.rule == "malformed" else "path"
                reason = problem.message.replace(describe_certificate(leaf, 0), "it")
                return PathDefect(stage, reason[:1].lower() + reason[1:])
            break
        for issuer in self._crl_signers(issuers, plan):
            return PathDefect("revocation", f"the key usage of {issuer} lacks cRLSign: its CRL is not valid")
        return None

    def _crl_signers(self, issuers: tuple[str, ...], plan: CertificatePlan) -> Iterator[str]:
        """Yield the names of the authorities that sign CRLs for a path without the key usage cRLSign."""
        subject: Entity | None = None
        for issuer in issuers:
            extensions = plan.extensions if subject is None else _extensions(subject)
            crl = self._authorities[issuer].crl
            if crl is not None and any(one.oid == oids.CRL_DISTRIBUTION_POINTS for one in extensions):
                signer = crl.indirect_crl_issuer or issuer
                usage = self._certificate(signer).extensions.key_usage
                if usage is not None and "cRLSign" not in usage:
                    yield signer.partition("/")[2]
            subject = self._authorities[issuer]

    def _chain(self, issuers: tuple[str, ...]) -> tuple[Certificate, ...]:
        """Return the certificates of a path from the issuing CA to the trust anchor."""
        if issuers not in self._chains:
            path = [self._certificate(issuer) for issuer in issuers]
            imported = self._authorities[issuers[-1]].imported
            above = imported.chain if imported else ()
            self._chains[issuers] = (*path, *(Certificate(_signed_again(one)) for one in above))
        return self._chains[issuers]

    def _certificate(self, authority_id: str) -> Certificate:
        entity = self._authorities[authority_id]
        if entity.imported is not None:
            return Certificate(_signed_again(entity.imported.certificate))
        plan = _plain(entity.certificates[0])
        not_before, not_after = self.times.get(authority_id, (plan.not_before, plan.not_after))
        # Below a self-issued CA, OpenSSL would confuse certificates with the same serial number.
        plan = replace(plan, serial=self._serials[authority_id], not_before=not_before, not_after=not_after)
        own, issuer = self._signer(authority_id), self._signer(plan.issuer_id)
        return Certificate(certificate(plan, _public_key(), own.key_identifier, issuer, None))

    def _leaf(self, issuer: str, plan: CertificatePlan) -> Certificate:
        end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        plan = replace(_plain(plan), not_before=self._clock - timedelta(seconds=1), not_after=end)
        own = sha1(plan.spec.encode(), usedforsecurity=False).digest()
        return Certificate(certificate(plan, _public_key(), own, self._signer(issuer), None))

    def _signer(self, authority_id: str) -> Signer:
        """Return the throwaway key with the authority's key identifier, which differs for each key."""
        entity = self._authorities[authority_id]
        owner = entity.key_of or authority_id
        identifier = sha1(owner.encode(), usedforsecurity=False).digest()
        for extension in _extensions(entity):
            if extension.oid == oids.SUBJECT_KEY_IDENTIFIER and isinstance(extension.value, bytes):
                # A raw extension need not contain DER; nothing then matches it.
                with suppress(ValueError):
                    identifier = der.contents(extension.value)
        if entity.imported is not None:
            existing = Certificate(entity.imported.certificate)
            identifier = key_identifier(existing.subject_public_key_info)
            identifier = existing.extensions.subject_key_identifier or identifier
        return Signer(_key(), identifier)


def _plain(plan: CertificatePlan) -> CertificatePlan:
    return replace(plan, serial=1, signature=Signature(), edits=(), rogue_key="")


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(1, ec.SECP256R1())


@cache
def _public_key() -> bytes:
    return public_key_info(_key())


def _signed_again(data: bytes) -> bytes:
    """Return a certificate with the throwaway key as its public key and for its signature."""
    tbs, *_ = der.children(data)
    fields, algorithm = list(der.children(tbs)), signature_algorithm(_key(), Signature())
    first = 1 if fields[0][0] == 0xA0 else 0
    fields[first + 1], fields[first + 5] = algorithm, _public_key()
    tbs = der.sequence(*fields)
    return der.sequence(tbs, algorithm, der.bit_string(sign(_key(), tbs, Signature())))


def _extensions(entity: Entity) -> tuple[Extension, ...]:
    return entity.certificates[0].extensions if entity.certificates else ()


def _relevant(extensions: tuple[Extension, ...]) -> tuple[object, ...]:
    """Return what decides about a certificate whose CAs constrain no names: its names do not matter."""
    return tuple(
        (one.critical, _shape(one.value))
        if one.oid == oids.SUBJECT_ALTERNATIVE_NAME and isinstance(one.value, bytes)
        else one
        for one in extensions
        if one.oid != oids.SECURITY_IDENTIFIER or one.critical
    )


def _shape(names: bytes) -> object:
    """Return the encoding of subject alternative names without plain values."""
    try:
        return frozenset(one[0] if one[0] in _PLAIN_NAMES else one for one in der.children(names))
    except (Malformed, ValueError, IndexError):
        return names
