"""Certificates that are on their issuer's CRL, one for each reason (RFC 5280, 5.3.1 and 6.3.3)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.crl.changes import change_crl
from pkigen.faults.registry import fault
from pkigen.model import Entity, Revocation

_ENTRY_CHECK = "6.3.3 (j)"
_REVOKED = ("path:revoked", "not-revoked")
_OTHER_REASONS = {
    "cACompromise": ("ca-compromise", "its issuer's key was compromised", "Stop trusting the issuer."),
    "affiliationChanged": ("affiliation-changed", "its subject name has changed", "Replace it."),
    "superseded": ("superseded", "there is a newer one", "Use the newer certificate."),
    "cessationOfOperation": ("cessation-of-operation", "it is no longer needed", "Take it out of service."),
    "privilegeWithdrawn": ("privilege-withdrawn", "a privilege was withdrawn", "Ask the CA for details."),
    "aACompromise": ("aa-compromise", "attribute authority key compromised", "Replace it."),
    "unspecified": ("unspecified", "no reason given", "The CRL entry has no reason code. Replace it."),
}
"""Reason -> suffix of the ID, explanation, advice."""


def _listed(case: Case, reason: str) -> Case:
    if case.authorities and case.authorities[0].crl is None:
        raise Impossible(f"the authority '{case.authorities[0].name}' publishes no CRL")
    return case.revoked(reason)


@fault("R", "revocation", _ENTRY_CHECK, finds=_REVOKED)
def revoked(case: Case) -> Case:
    """The certificate is revoked because its key was compromised (keyCompromise).

    Clients that check the CRL reject it; others do not notice it. Replace the certificate and its
    key.
    """
    return _listed(case, "keyCompromise")


def _register(reason: str, suffix: str, why: str, advice: str) -> None:
    def change(case: Case) -> Case:
        return _listed(case, reason)

    change.__doc__ = f"""The certificate is revoked: {why} ({reason}).

    Clients that check the CRL reject it, regardless of the reason. {advice}
    """
    fault("R", "revocation", _ENTRY_CHECK, finds=_REVOKED, called=f"revoked-{suffix}")(change)


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
    """The certificate is on the complete CRL with the reason removeFromCRL.

    Only delta CRLs may use this reason. Some clients treat the certificate as revoked, because it
    is listed; others treat it as no longer revoked.
    """
    return change_crl(case, lambda crl: crl).revoked("removeFromCRL")


@fault("R", "revocation", _ENTRY_CHECK, finds=(*_REVOKED, "crl-entries"))
def crl_future_revocation_date(case: Case) -> Case:
    """The certificate is on the CRL with a revocation date in the future.

    The date is the notAfter of the certificate. A listed certificate is revoked, whatever the date;
    some clients nevertheless accept it until then.
    """
    case = change_crl(case, lambda crl: crl).revoked("superseded")
    revocation = case.entity.revocation
    assert revocation is not None
    later = replace(revocation, at=case.plan.not_after, text=f"{revocation.text}:to come")
    return replace(case, entity=replace(case.entity, revocation=later))


@fault("R", "revocation", _ENTRY_CHECK, finds=("path:revoked", "not-revoked"))
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
