"""The certification path (RFC 5280, 6.1), and what CRLs say of the certificate (6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import drop_path_length
from pkigen.cases.urls import with_urls
from pkigen.keys.verifying import is_signed_by
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

_DAY = 86_400
_OWN_TIMES = ("expired", "not-yet-valid")
_REMOVED = 8


@demand
class CertificationPath(Demand):
    """Valid up to a trusted root, the authorities in force.

    The certificate's own validity and its revocation are other demands'. Trusted are the anchors that
    were given, else the self-signed ones of the chain file, as at an upload.
    """

    kind: ClassVar[str] = "certification_path"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    def check(self, subject: CheckInput) -> Outcome:
        """By OpenSSL, at the instant of the check."""
        leaf = subject.certificate
        if leaf is None:
            return not_applicable("there is no certificate")
        if leaf.is_self_issued:
            return not_applicable("the certificate is self-signed")
        anchors = subject.anchors or tuple(c for c in subject.authorities if c.is_self_issued)
        if not subject.path or not is_signed_by(leaf, subject.path[0]):
            return not_applicable("its issuer's certificate was not given")
        if not subject.path[-1].is_self_issued or not anchors:
            return not_applicable("the path does not lead to a root")
        from pkigen.inspection.path import validate

        found = validate(leaf, subject.authorities, anchors, at=subject.now)
        problems = [p for p in found.problems if p.depth != 0 or p.rule not in _OWN_TIMES]
        return pass_or_fail(not problems, "; ".join(p.message for p in problems) or "valid", "a valid path")

    def violations(self) -> Iterator[Violation]:
        """An authority that has ended; one that may not sign certificates."""
        words = "The issuing CA's certificate has expired."
        yield Violation("expired-authority", words, _ended_authority, "path")
        words = "The issuing CA's key usage does not include keyCertSign."
        yield Violation("no-certsign", words, _without_cert_sign, "path")


def _ended_authority(case: Case) -> Case:
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
    """Not revoked; a CRL that is there, fresh, and signed by the issuer.

    A stale CRL is as good as none. URLs of other schemes than http are not asked: appliances do not.
    """

    kind: ClassVar[str] = "revocation"
    field: ClassVar[str | None] = None
    needs: ClassVar[Needs] = Needs.ISSUED

    not_revoked: bool = False
    available: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> RevocationDemand:
        if self.not_revoked is self.available:
            raise ValueError("give one of not_revoked and available: they are two demands")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """At the URLs that the certificate states."""
        leaf = subject.certificate
        if leaf is None:
            return not_applicable("there is no certificate")
        urls = [url for url in subject.crl_urls if _is_http(url)]
        if not urls:
            return not_applicable("it states no http URL of a CRL")
        looks = [found for found in map(subject.look, urls) if found is not None]
        if not looks:
            return undecided("no CRL was looked at; --online asks the network")
        judge = self._check_available if self.available else _check_entry
        return judge(subject, looks)

    def _check_available(self, subject: CheckInput, looks: list[PublishedCrl]) -> Outcome:
        problems = [_problem(subject, found) for found in looks]
        holds = not all(problems)
        return pass_or_fail(holds, "fresh" if holds else "; ".join(problems), "a fresh CRL that is reachable")

    def violations(self) -> Iterator[Violation]:
        """Revoked for good, and on hold; not published at all, and stale."""
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


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() == "http"
    except ValueError:
        return False


def _problem(subject: CheckInput, found: PublishedCrl) -> str:
    """Why a CRL does not serve; "" when it does."""
    crl = found.crl
    if crl is None:
        return found.problem
    if subject.path and not is_signed_by(crl, subject.path[0]):
        return "the CRL is not signed by the issuer"
    if crl.this_update > subject.now:
        return f"the CRL begins at {crl.this_update:%Y-%m-%d %H:%M:%S}Z"
    if crl.next_update is not None and crl.next_update < subject.now:
        return f"the CRL is stale since {crl.next_update:%Y-%m-%d %H:%M:%S}Z"
    return ""


def _check_entry(subject: CheckInput, looks: list[PublishedCrl]) -> Outcome:
    assert subject.certificate is not None
    crls = [found.crl for found in looks if found.crl is not None]
    if subject.path:
        crls = [crl for crl in crls if is_signed_by(crl, subject.path[0])]
    if not crls:
        return not_applicable("there is no CRL by its issuer")
    for crl in crls:
        entry = crl.entry(subject.certificate.serial)
        if entry is not None and entry.reason != _REMOVED:
            return failed(f"revoked on {entry.at:%Y-%m-%d}, reason code {entry.reason}", "not revoked")
    return pass_or_fail(True, "not listed", "not revoked")


def _revoked(reason: str, case: Case) -> Case:
    return case.revoked(reason)


def _unpublished(case: Case) -> Case:
    extension = case.extension(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None or not isinstance(extension.value, bytes):
        raise Impossible("the sound certificate has no CRL distribution point")
    value = with_urls(extension.value, _to_nowhere)
    return case.with_extension(replace(extension, value=value))


def _to_nowhere(url: str) -> str:
    folder, _, name = url.rpartition("/")
    return f"{folder}/nowhere/{name}"


def _stale(entity: Entity) -> Entity:
    if entity.crl is None:
        raise Impossible(f"the authority '{entity.name}' publishes no CRL")
    return replace(entity, crl=replace(entity.crl, age=entity.crl.lifetime + _DAY))
