"""Certificates that are on the CRL of their issuer, for each reason (RFC 5280, 5.3.1 and 6.3.3)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.crl.changes import change_crl
from pkigen.faults.registry import fault
from pkigen.model import Entity, Revocation

_FOUND = "6.3.3 (j)"
_REVOKED = ("path:revoked", "not-revoked")
_OTHER_REASONS = {
    "cACompromise": ("ca-compromise", "its issuer's key is in other hands", "Trust the issuer no more."),
    "affiliationChanged": ("affiliation-changed", "its subject has another name", "Replace it."),
    "superseded": ("superseded", "there is a newer one", "Use the newer one."),
    "cessationOfOperation": ("cessation-of-operation", "it is needed no more", "Take it out of service."),
    "privilegeWithdrawn": ("privilege-withdrawn", "its subject lost a privilege", "Ask its CA what for."),
    "aACompromise": ("aa-compromise", "an attribute authority's key is in other hands", "Replace it."),
    "unspecified": ("unspecified", "for no reason that is told", "The entry has no reason code: replace it."),
}
"""Reason -> the end of the id, why, what to do."""


def _listed(case: Case, reason: str) -> Case:
    if case.authorities and case.authorities[0].crl is None:
        raise Impossible(f"the authority '{case.authorities[0].name}' publishes no CRL")
    return case.revoked(reason)


@fault("R", "revocation", _FOUND, finds=_REVOKED)
def revoked(case: Case) -> Case:
    """The certificate is revoked because its key was compromised (keyCompromise).

    Clients that check the CRL reject it; others do not notice it. Replace the certificate and its
    key.
    """
    return _listed(case, "keyCompromise")


def _register(reason: str, suffix: str, why: str, advice: str) -> None:
    def change(case: Case) -> Case:
        return _listed(case, reason)

    change.__doc__ = f"""It is revoked: {why} ({reason}).

    Clients that look at the CRL refuse it, whatever the reason. {advice}
    """
    fault("R", "revocation", _FOUND, finds=_REVOKED, called=f"revoked-{suffix}")(change)


for _reason, _words in _OTHER_REASONS.items():
    _register(_reason, *_words)


@fault("R", "revocation", "5.3.1", finds=_REVOKED)
def crl_on_hold(case: Case) -> Case:
    """The certificate is on hold (certificateHold).

    Clients that check the CRL reject it until the CA lifts the hold.
    """
    return _listed(case, "certificateHold")


@fault("V", "revocation", "5.3.1")
def crl_remove_from_crl_in_full(case: Case) -> Case:
    """The complete CRL lists it with the reason removeFromCRL.

    Only delta CRLs may say so. Some take it for revoked since it is listed, some for taken back.
    """
    return change_crl(case, lambda crl: crl).revoked("removeFromCRL")


@fault("R", "revocation", "5.1.2.6", finds=_REVOKED)
def crl_future_revocation_date(case: Case) -> Case:
    """The CRL lists it as revoked at an instant that is still to come.

    The instant is its own end. No client waits for it: what is listed is revoked.
    """
    case = change_crl(case, lambda crl: crl).revoked("superseded")
    held = case.entity.revocation
    assert held is not None
    later = replace(held, at=case.plan.not_after, text=f"{held.text}:to come")
    return replace(case, entity=replace(case.entity, revocation=later))


@fault("R", "revocation", _FOUND, finds=("path:revoked",))
def crl_revoked_intermediate(case: Case) -> Case:
    """The issuing CA certificate is revoked (cACompromise).

    Clients must check the CRL of every issuer in the path, not only the first.
    """
    level = case.intermediate()

    def change(entity: Entity) -> Entity:
        return replace(entity, revocation=Revocation("cACompromise", case.clock, "cACompromise:case"))

    if case.authorities[level + 1].crl is None:
        raise Impossible(f"the authority '{case.authorities[level + 1].name}' publishes no CRL")
    return case.change_authority(level, change)
