"""Extensions of CRLs and of their entries (RFC 5280, 5.2 and 5.3)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.faults.families.crl.changes import (
    NOBODYS_SERIAL,
    edit_crl,
    extend_crl,
    list_in_crl,
    with_crl,
)
from pkigen.faults.registry import fault
from pkigen.model import CrlEntry, Edit, EditOp, Extension

_UNKNOWN = "1.3.6.1.4.1.55738.99.5"
_KEY_IDENTIFIER, _NUMBER = (-1, 0, 0), (-1, 0, 1)
_NUMBER_OCTETS, _NUMBER_VALUE = (*_NUMBER, 1), (*_NUMBER, 1, 0)
_KEY_IDENTIFIER_VALUE = (*_KEY_IDENTIFIER, 1, 0, 0)
_ENUMERATED = 0x0A
_OTHER_KEY_IDENTIFIER = bytes(range(20))


@fault("P", "revocation", "5.2.3", finds=("crl-number",))
def crl_missing_number(case: Case) -> Case:
    """The CRL has no CRL number.

    CAs must include it; linters report its absence, clients do not need it.
    """
    return edit_crl(case, Edit(_NUMBER, EditOp.REMOVE))


@fault("P", "revocation", "5.2.1", finds=("crl-key-identifier",))
def crl_missing_aki(case: Case) -> Case:
    """The CRL has no authority key identifier.

    CAs must include it; linters report its absence. Clients that use it to select a key have only the
    issuer name.
    """
    return edit_crl(case, Edit(_KEY_IDENTIFIER, EditOp.REMOVE))


@fault("R", "revocation", "5.2.3", finds=("path:unhandled-critical", "crl-number"))
def crl_number_critical(case: Case) -> Case:
    """The CRL has a critical CRL number extension.

    It must not be critical. Clients that do not process it must not use the CRL; clients that do
    may accept it.
    """
    return edit_crl(case, Edit(_NUMBER_OCTETS, EditOp.INSERT, der.boolean(True)))


@fault("P", "revocation", "5.2.3")
def crl_number_negative(case: Case) -> Case:
    """The CRL has the CRL number -1.

    CRL numbers must not be negative; linters report it, and clients that do not compare them do not
    notice it.
    """
    return edit_crl(case, Edit(_NUMBER_VALUE, EditOp.REPLACE, der.integer(-1)))


@fault("P", "revocation", "5.2.3")
def crl_number_21_octets(case: Case) -> Case:
    """The CRL has a CRL number of 21 bytes.

    CAs must not use more than 20 bytes; linters report it.
    """
    return edit_crl(case, Edit(_NUMBER_VALUE, EditOp.REPLACE, der.integer(1 << 160)))


@fault("P", "revocation", "5.2.3")
def crl_number_goes_back(case: Case) -> Case:
    """The CRL has a lower CRL number than the previous CRL.

    CRL numbers must increase. Only clients that keep the previous CRL (NAME.former.crl) can notice it;
    others accept this one.
    """
    return with_crl(case, countdown=True)


@fault("R", "revocation", "5.2.1", finds=("path:crl-missing",))
def crl_aki_mismatch(case: Case) -> Case:
    """The CRL has the authority key identifier of a different key.

    The signature verifies, but clients that select the key by its identifier find none, and
    therefore no usable CRL. Clients that only try the issuer's key accept it.
    """
    return edit_crl(case, Edit(_KEY_IDENTIFIER_VALUE, EditOp.REPLACE_CONTENTS, _OTHER_KEY_IDENTIFIER))


@fault("R", "revocation", "5.2", finds=("path:unhandled-critical",))
def crl_unknown_critical(case: Case) -> Case:
    """The CRL has an unknown critical extension.

    Clients that do not recognize the extension must not use the CRL.
    """
    return extend_crl(case, _UNKNOWN, der.null(), critical=True)


@fault("R", "revocation", "5.3", finds=("path:unhandled-critical",))
def crl_entry_unknown_critical(case: Case) -> Case:
    """The CRL has an unknown critical extension in an entry for another certificate.

    Clients that do not recognize the extension must not use the CRL for any certificate.
    """
    return list_in_crl(case, CrlEntry(NOBODYS_SERIAL, (Extension(_UNKNOWN, True, der.null()),)))


@fault("R", "revocation", "5.2.4", finds=("path:crl-missing",))
def crl_delta_without_base(case: Case) -> Case:
    """The CRL is a delta CRL without a base CRL.

    A delta CRL lists only changes; clients cannot determine the revocation status without the
    complete CRL.
    """
    return extend_crl(case, oids.DELTA_CRL_INDICATOR, der.integer(0), critical=True)


@fault("V", "revocation", "5.2", finds=("path:malformed",))
def crl_duplicate_extension(case: Case) -> Case:
    """The CRL has two CRL number extensions.

    Strict parsers reject it because of the repeated OID; others use the first extension, or the
    last.
    """
    return extend_crl(case, oids.CRL_NUMBER, der.integer(0))


@fault("P", "revocation", "5.1.2.6")
def crl_duplicate_entry(case: Case) -> Case:
    """The CRL lists the serial number of another certificate twice.

    Serial numbers identify the entries of a CRL uniquely; clients do not notice the second entry.
    """
    return list_in_crl(case, CrlEntry(NOBODYS_SERIAL), CrlEntry(NOBODYS_SERIAL))


@fault("P", "revocation", "5.3.1")
def crl_reason_unspecified(case: Case) -> Case:
    """The CRL has an entry for another certificate with reason code 0 (unspecified).

    The reason code should be omitted in this case; clients read the CRL anyway.
    """
    unspecified = Extension(oids.CRL_REASON, False, der.tlv(_ENUMERATED, b"\0"))
    return list_in_crl(case, CrlEntry(NOBODYS_SERIAL, (unspecified,)))
