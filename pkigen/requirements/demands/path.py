"""The certification path (RFC 5280, 6.1), and the revocation of the certificate (6.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import drop_path_length
from pkigen.cases.urls import with_urls
from pkigen.keys.verify import is_signed_by, may_be_self_signed
from pkigen.model import CertificatePlan, Entity, Extension
from pkigen.requirements.demand import Demand, Needs, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
    undecided,
)
from pkigen.requirements.subject import CheckInput, PublishedCrl
from pkigen.x509 import Certificate, CertificateList, RevokedEntry

_DAY = 86_400
_OWN_TIMES = ("expired", "not-yet-valid")


@demand
class CertificationPath(Demand):
    """The certification path is valid up to a trusted root.

    Other demands check the validity period and the revocation of the certificate itself. The trust anchors
    are those that were given, or else the self-signed certificates of the chain file, as at an upload.
    ``maximum_length`` is the largest number of CA certificates in the path, with the root.
    """

    kind: ClassVar[str] = "certification_path"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    maximum_length: Annotated[int, Field(ge=1, le=100)] | None = None

    def check(self, subject: CheckInput) -> Outcome:
        """Validate the path with OpenSSL at the time of the check."""
        leaf = subject.certificate
        if leaf is None:
            return not_applicable("there is no certificate")
        if may_be_self_signed(leaf):
            return not_applicable("the certificate is self-signed")
        if self.maximum_length is not None and len(subject.path) > self.maximum_length:
            return failed(f"{len(subject.path)} CAs", f"at most {self.maximum_length} CAs")
        anchors = subject.anchors or tuple(c for c in subject.authorities if may_be_self_signed(c))
        if not subject.path or not is_signed_by(leaf, subject.path[0]):
            return not_applicable("the certificate of the issuer was not given")
        if not may_be_self_signed(subject.path[-1]) or not anchors:
            return not_applicable("the path does not lead to a root")
        from pkigen.inspection.path import validate

        validation = validate(leaf, subject.authorities, anchors, at=subject.now)
        problems = [p for p in validation.problems if p.depth != 0 or p.rule not in _OWN_TIMES]
        return pass_or_fail(not problems, "; ".join(p.message for p in problems) or "valid", "a valid path")

    def violations(self) -> Iterator[Violation]:
        """An expired issuing CA; an issuing CA that may not sign certificates."""
        words = "The issuing CA's certificate has expired."
        yield Violation("expired-authority", words, _with_expired_authority, "path")
        words = "The issuing CA's key usage does not include keyCertSign."
        yield Violation("no-certsign", words, _without_cert_sign, "path")


def _with_expired_authority(case: Case) -> Case:
    end = case.clock - timedelta(seconds=_DAY)

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, not_before=end - (plan.not_after - plan.not_before), not_after=end)

    return case.change_authority_plan(0, change)


def _without_cert_sign(case: Case) -> Case:
    usage = Extension(oids.KEY_USAGE, True, der.named_bits(("cRLSign",), oids.KEY_USAGES))

    def change(plan: CertificatePlan) -> CertificatePlan:
        others = (extension for extension in plan.extensions if extension.oid != oids.KEY_USAGE)
        return replace(plan, extensions=(*others, usage))

    return drop_path_length(case.change_authority_plan(0, change), 0)


@demand
class RevocationDemand(Demand):
    """The certificate is not revoked; a current CRL, signed by the issuer, is available.

    A stale CRL counts as unavailable. URLs with other schemes than http are ignored, as appliances do.
    """

    kind: ClassVar[str] = "revocation"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    not_revoked: bool = False
    available: bool = False

    @model_validator(mode="after")
    def _has_one_condition(self) -> RevocationDemand:
        if self.not_revoked is self.available:
            raise ValueError("specify exactly one of not_revoked and available")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check the CRLs from files, or those at the certificate's URLs."""
        leaf = subject.certificate
        if leaf is None and not subject.crls:
            return not_applicable("there is no certificate")
        published = tuple(map(PublishedCrl, subject.crls)) if leaf is None else subject.crls_for(leaf)
        if not published and not subject.has_http_crl_url:
            return not_applicable("the certificate has no http URL of a CRL")
        if not published:
            return undecided("no CRL was given or downloaded; --online downloads CRLs")
        return (
            self._check_available(subject, published) if self.available else _check_entry(subject, published)
        )

    def _check_available(self, subject: CheckInput, published: Sequence[PublishedCrl]) -> Outcome:
        problems = [_problem(subject, one) for one in published]
        holds = not all(problems)
        return pass_or_fail(holds, "fresh" if holds else "; ".join(problems), "a fresh CRL that is reachable")

    def violations(self) -> Iterator[Violation]:
        """Revoked, on hold; no CRL, a stale CRL."""
        if self.not_revoked:
            for variant, reason in (("revoked", "keyCompromise"), ("on-hold", "certificateHold")):
                words = f"The certificate is revoked for {reason}."
                yield Violation(variant, words, partial(_revoked, reason), "revocation")
        if self.available:
            yield Violation(
                "unpublished", "The CRL distribution point serves no CRL.", _unpublished, "revocation"
            )
            change = partial(Case.change_authority, level=0, change=_stale)
            yield Violation("stale", "The CRL expired one day ago.", change, "revocation")


def _problem(subject: CheckInput, published: PublishedCrl) -> str:
    """Return why a CRL cannot be used; "" if it can."""
    crl = published.crl
    if crl is None:
        return published.problem
    leaf = subject.certificate
    if leaf is not None and subject.path and not _is_of_issuer(crl, leaf, subject):
        return "the CRL is not signed by the issuer"
    if crl.this_update > subject.now:
        return f"the CRL is not valid before {crl.this_update:%Y-%m-%d %H:%M:%S}Z"
    if crl.next_update is not None and crl.next_update < subject.now:
        return f"the CRL is stale since {crl.next_update:%Y-%m-%d %H:%M:%S}Z"
    return ""


def _check_entry(subject: CheckInput, published: Sequence[PublishedCrl]) -> Outcome:
    """Check the certificate, and each CA above it whose CRL is available; CRLs may be stale."""
    from pkigen.inspection.path import revocations

    leaf = subject.certificate
    if leaf is None:
        return not_applicable("there is no certificate")
    _ = leaf.serial  # a CRL cannot list a certificate whose serial number cannot be decoded
    crls = [one.crl for one in published if one.crl is not None]
    if subject.path:
        crls = [crl for crl in crls if _is_of_issuer(crl, leaf, subject)]
    if not crls:
        return not_applicable("there is no CRL by the certificate's issuer")
    own = tuple(crls)
    for authority in subject.path:
        crls += [one.crl for one in subject.crls_for(authority) if one.crl is not None]
    known = (*subject.authorities, *subject.crl_issuers)
    revoked, unused = revocations((leaf, *subject.path), known, crls)
    if revoked:
        return failed(
            "; ".join(_description(one, entry, leaf) for one, entry in revoked.items()), "not revoked"
        )
    if all(crl.der in unused for crl in own):
        return not_applicable(unused[own[0].der])
    return pass_or_fail(True, "not listed", "not revoked")


def _description(certificate: Certificate, entry: RevokedEntry, leaf: Certificate) -> str:
    subject = "" if certificate == leaf else f"the CA [{names.text(certificate.subject)}] is "
    return f"{subject}revoked on {entry.at:%Y-%m-%d}, reason code {entry.reason}"


def _is_of_issuer(crl: CertificateList, leaf: Certificate, subject: CheckInput) -> bool:
    """Return whether the issuer signed a CRL; another CRL issuer's signature is verified with its path."""
    return crl.normalized_issuer != leaf.normalized_issuer or is_signed_by(crl, subject.path[0])


def _revoked(reason: str, case: Case) -> Case:
    return case.revoked(reason)


def _unpublished(case: Case) -> Case:
    extension = case.extension(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None or not isinstance(extension.value, bytes):
        raise Impossible("the certificate has no CRL distribution point")
    value = with_urls(extension.value, _to_missing_path)
    return case.with_extension(replace(extension, value=value))


def _to_missing_path(url: str) -> str:
    directory, _, name = url.rpartition("/")
    return f"{directory}/nowhere/{name}"


def _stale(entity: Entity) -> Entity:
    if entity.crl is None:
        raise Impossible(f"the authority '{entity.name}' publishes no CRL")
    return replace(entity, crl=replace(entity.crl, age=entity.crl.lifetime + _DAY))
