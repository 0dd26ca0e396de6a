"""Subject and authority key identifiers (RFC 5280, 4.2.1.1 and 4.2.1.2)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import EMPTY_SEQUENCE, JUNK, leave_out, put, set_critical
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp, Extension, KeyIdentifier, Name

_EXTENSIONS = (7,)
_AKI, _SKI = oids.AUTHORITY_KEY_IDENTIFIER, oids.SUBJECT_KEY_IDENTIFIER
_ROGUE_KEY = bytes(range(20))
_SERIAL = der.tlv(0x82, b"\x2a")


@fault(
    "V",
    "path",
    "4.2.1.2",
    finds=("path:unhandled-critical", "subject-key-identifier", "path-valid", "chain-of-trust"),
)
def ski_critical(case: Case) -> Case:
    """The certificate has a critical subject key identifier.

    The extension must not be critical; some clients, such as OpenSSL, then reject the certificate.
    """
    return set_critical(case, _SKI, True)


@fault("V", "path", "4.2.1.2", finds=("ca-subject-key-identifier",))
def ski_missing_ca(case: Case) -> Case:
    """The issuing CA certificate has no subject key identifier.

    CA certificates must contain it; path building by name still works.
    """
    return leave_out(case, _SKI, 0)


@fault("V", "path", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_ski_mismatch(case: Case) -> Case:
    """The certificate has an authority key identifier that does not match the issuer.

    Some clients cannot find the issuer; others ignore the mismatch and verify the signature.
    """
    return put(case, _AKI, der.sequence(der.tlv(0x80, _ROGUE_KEY)))


@fault(
    "V",
    "path",
    "4.2.1.1",
    finds=("path:unhandled-critical", "authority-key-identifier", "path-valid", "chain-of-trust"),
)
def aki_critical(case: Case) -> Case:
    """The certificate has a critical authority key identifier.

    The extension must not be critical; some clients reject the certificate.
    """
    return set_critical(case, _AKI, True)


@fault("V", "path", "4.2.1.1", finds=("authority-key-identifier",))
def aki_missing(case: Case) -> Case:
    """The certificate has no authority key identifier.

    CAs must include it in every certificate that they issue; some clients reject its absence.
    """
    return leave_out(case, _AKI)


@fault("V", "path", "4.2.1.1", finds=("key-identifier",))
def aki_empty(case: Case) -> Case:
    """The certificate has an empty authority key identifier.

    It should contain the key identifier of the issuer; some clients reject the certificate.
    """
    return put(case, _AKI, EMPTY_SEQUENCE)


@fault("V", "path", "4.2.1.1", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_issuer_serial_wrong(case: Case) -> Case:
    """The certificate has an authority key identifier with a wrong issuer and serial.

    Both fields name a certificate that the issuing CA issued, instead of the CA's own certificate; the
    key identifier is correct. Validators that compare all fields cannot find the issuer.
    """
    return _identified_by_name(case, case.plan.issuer, _SERIAL)


@fault("V", "parse", "4.2.1.1")
def aki_issuer_no_serial(case: Case) -> Case:
    """The certificate has an authority key identifier with an issuer but no serial.

    Both fields must be present or absent together; strict parsers reject the certificate.
    """
    above = case.authorities[0].certificates if case.authorities else ()
    return _identified_by_name(case, above[0].issuer if above else case.plan.issuer)


def _identified_by_name(case: Case, issuer: Name, serial: bytes = b"") -> Case:
    """Add authorityCertIssuer and authorityCertSerialNumber to the key identifier of the issuer."""
    place = next(
        (
            number
            for number, one in enumerate(case.plan.extensions)
            if one.oid == _AKI and one.value is KeyIdentifier.ISSUER
        ),
        None,
    )
    if place is None:
        raise Impossible("the certificate has no authority key identifier")
    return case.edit(Edit((*_EXTENSIONS, 0, place, -1, 0, 0), EditOp.APPEND, _issuer_name(issuer) + serial))


def _issuer_name(issuer: Name) -> bytes:
    """Return authorityCertIssuer with a directory name."""
    return der.tlv(0xA1, der.explicit(4, names.encode(issuer)))


@fault(
    "V",
    "parse",
    "4.2.1.1",
    finds=("path:no-issuer", "path-valid", "chain-of-trust", "extension-readable", "key-identifier"),
)
def aki_malformed(case: Case) -> Case:
    """The certificate has an authority key identifier that cannot be decoded.

    Some parsers decode noncritical extensions only when they need them, and do not notice it.
    """
    return put(case, _AKI, JUNK)


@fault("V", "path", "4.2.1.1", finds=("authority-key-identifier",))
def aki_missing_intermediate(case: Case) -> Case:
    """The issuing CA certificate has no authority key identifier.

    CAs must include it in all certificates except self-signed ones; some clients reject its absence.
    """
    return leave_out(case, _AKI, case.intermediate())


@fault("V", "path", "4.2.1.2", finds=("ca-subject-key-identifier",))
def ski_missing_root(case: Case) -> Case:
    """The root certificate has no subject key identifier.

    CA certificates must contain it. Validators that use only the name and key of a trust anchor do not notice
    it; others reject the path.
    """
    return leave_out(case, _SKI, case.root)


@fault("V", "path", "CABF BR 7.1.2.1.3")
def aki_root_no_key_id(case: Case) -> Case:
    """The root certificate has an empty authority key identifier.

    The extension is optional in a root; if it is present, it must have the key identifier. Few validators
    check this field of a trust anchor.
    """
    return put(case, _AKI, EMPTY_SEQUENCE, level=case.root)


@fault("V", "path", "CABF BR 7.1.2.1.3", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def aki_root_mismatch(case: Case) -> Case:
    """The root certificate has the authority key identifier of another key.

    The certificate is self-signed, so that its two key identifiers must be equal. Few validators check this
    field of a trust anchor.
    """
    return put(case, _AKI, der.sequence(der.tlv(0x80, _ROGUE_KEY)), level=case.root)


@fault("V", "path", "CABF BR 7.1.2.1.3")
def aki_root_issuer(case: Case) -> Case:
    """The root certificate has an authority key identifier that also names its issuer.

    The Baseline Requirements allow only the key identifier; the serial number that belongs to the issuer is
    missing. Few validators check this field of a trust anchor.
    """

    def change(root: CertificatePlan) -> CertificatePlan:
        others = tuple(one for one in root.extensions if one.oid != _AKI)
        extensions = (*others, Extension(_AKI, False, KeyIdentifier.ISSUER))
        value = (*_EXTENSIONS, 0, len(others), -1, 0, 0)
        named = Edit(value, EditOp.APPEND, _issuer_name(root.subject))
        return replace(root, extensions=extensions, edits=(*root.edits, named))

    return case.change_authority_plan(case.root, change)
