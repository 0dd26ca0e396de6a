"""Certificates that are on their issuer's CRL, one for each reason (RFC 5280, 5.3.1 and 6.3.3)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import uri
from pkigen.faults.families.crl.changes import change_crl, list_in_crl, with_fixed_serial
from pkigen.faults.registry import fault
from pkigen.model import CrlEntry, CrlPart, Entity, Extension, Revocation

_ENTRY_CHECK = "6.3.3 (j)"
_DAY = 86400
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

    The date is the notAfter of the certificate. A listed certificate is revoked, whatever the date:
    clients must reject it. Some accept it until then.
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


@fault("A", "revocation", "6.3.3 (b)(1)")
def crl_other_ca_same_serial(case: Case) -> Case:
    """The CRL of the root lists the serial number of the certificate.

    Serial numbers are unique only per issuer: the entry is about a certificate of the root. Clients must
    accept the certificate (control case).
    """
    level = case.intermediate() + 1
    if case.authorities[level].crl is None:
        raise Impossible(f"the authority '{case.authorities[level].name}' publishes no CRL")

    def change(entity: Entity) -> Entity:
        assert entity.crl is not None
        entries = (*entity.crl.entries, CrlEntry(serial))
        return replace(entity, crl=replace(entity.crl, entries=entries))

    case = with_fixed_serial(case)
    serial = case.plan.serial
    return case.change_authority(level, change)


@fault("R", "revocation", "5.3", finds=("path:unhandled-critical",))
def crl_entry_critical_unknown_extension_for_leaf(case: Case) -> Case:
    """The certificate is on the CRL, with an unknown critical extension in its entry.

    Clients that do not recognize the extension must not use the CRL; they must not accept the certificate.
    """
    unknown = Extension("1.3.6.1.4.1.55738.99.5", True, der.null())
    case = with_fixed_serial(case)
    return list_in_crl(case, CrlEntry(case.plan.serial, (unknown,)))


@fault("A", "revocation", "4.1.2.2")
def crl_revoked_sign_extended_serial(case: Case) -> Case:
    """The CRL lists the certificate without the zero byte before its serial number.

    The number in the CRL is therefore negative, and of no certificate. Clients must accept the certificate;
    those that compare bytes without the sign reject it (control case).
    """
    case = with_fixed_serial(case, top_bit=True)
    return list_in_crl(case, CrlEntry(case.plan.serial - (1 << 128)))


@fault("P", "revocation", "5.2.4")
def crl_delta_revokes(case: Case) -> Case:
    """The certificate is on the delta CRL, but not yet on the complete CRL.

    The certificate refers to the delta CRL (freshest CRL), which clients may process. Clients that
    process it reject the certificate; others accept it until the next complete CRL.
    """
    case = with_fixed_serial(case)
    delta = CrlPart("delta", delta=_DAY, entries=(CrlEntry(case.plan.serial),))
    case = change_crl(case, lambda crl: replace(crl, parts=(delta,)))
    crl = case.authorities[0].crl
    assert crl is not None
    point = der.sequence(der.explicit(0, der.explicit(0, uri(crl.part_url(delta)))))
    return put(case, oids.FRESHEST_CRL, der.sequence(point))
