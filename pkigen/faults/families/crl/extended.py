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


@fault("V", "revocation", "5.2.3", finds=("crl-number",))
def crl_missing_number(case: Case) -> Case:
    """Its CRL has no number.

    CAs must number them; few clients look at it.
    """
    return edit_crl(case, Edit(_NUMBER, EditOp.REMOVE))


@fault("V", "revocation", "5.2.1", finds=("crl-key-identifier",))
def crl_missing_aki(case: Case) -> Case:
    """Its CRL has no authority key identifier.

    CAs must put it in. Clients that choose among keys by it have the name alone.
    """
    return edit_crl(case, Edit(_KEY_IDENTIFIER, EditOp.REMOVE))


@fault("R", "revocation", "5.2.3", finds=("path:unhandled-critical", "crl-number"))
def crl_number_critical(case: Case) -> Case:
    """Its CRL's number is critical.

    It must not be; clients that do not process it must not use the CRL.
    """
    return edit_crl(case, Edit(_NUMBER_OCTETS, EditOp.INSERT, der.boolean(True)))


@fault("V", "revocation", "5.2.3")
def crl_number_negative(case: Case) -> Case:
    """Its CRL's number is -1.

    Numbers begin at 0; clients that do not compare them do not notice.
    """
    return edit_crl(case, Edit(_NUMBER_VALUE, EditOp.REPLACE, der.integer(-1)))


@fault("V", "revocation", "5.2.3")
def crl_number_21_octets(case: Case) -> Case:
    """Its CRL's number has 21 octets.

    20 are the most that clients must be able to handle.
    """
    return edit_crl(case, Edit(_NUMBER_VALUE, EditOp.REPLACE, der.integer(1 << 160)))


@fault("V", "revocation", "5.2.3")
def crl_number_goes_back(case: Case) -> Case:
    """Its CRL's number is lower than that of the CRL before.

    The one before lies beside it, as NAME.former.crl. Who has seen it may take this one for a replay.
    """
    return with_crl(case, countdown=True)


@fault("R", "revocation", "5.2.1", finds=("path:crl-missing",))
def crl_aki_mismatch(case: Case) -> Case:
    """Its CRL's authority key identifier is that of another key.

    The signature fits; clients that choose by the identifier find no key, and so no CRL.
    """
    return edit_crl(case, Edit(_KEY_IDENTIFIER_VALUE, EditOp.REPLACE_CONTENTS, _OTHER_KEY_IDENTIFIER))


@fault("R", "revocation", "5.2", finds=("path:unhandled-critical",))
def crl_unknown_critical(case: Case) -> Case:
    """Its CRL has a critical extension that nobody knows.

    Who does not know it must not use the CRL.
    """
    return extend_crl(case, _UNKNOWN, der.null(), critical=True)


@fault("R", "revocation", "5.3", finds=("path:unhandled-critical",))
def crl_entry_unknown_critical(case: Case) -> Case:
    """An entry of its CRL, not its own, has a critical extension that nobody knows.

    Who does not know it must not use the CRL for any certificate.
    """
    return list_in_crl(case, CrlEntry(NOBODYS_SERIAL, (Extension(_UNKNOWN, True, der.null()),)))


@fault("R", "revocation", "5.2.4", finds=("path:crl-missing",))
def crl_delta_without_base(case: Case) -> Case:
    """Its CRL is a delta CRL, and there is none that it adds to.

    It lists changes alone: without the complete one nothing follows from it.
    """
    return extend_crl(case, oids.DELTA_CRL_INDICATOR, der.integer(0), critical=True)


@fault("V", "revocation", "5.2", finds=("path:malformed",))
def crl_duplicate_extension(case: Case) -> Case:
    """Its CRL has two numbers.

    Two extensions of one OID: strict parsers refuse it, others take the first, or the last.
    """
    return extend_crl(case, oids.CRL_NUMBER, der.integer(0))


@fault("P", "revocation", "5.3")
def crl_duplicate_entry(case: Case) -> Case:
    """Its CRL lists one serial number, not its own, twice.

    Clients find the first of the two and look no further.
    """
    return list_in_crl(case, CrlEntry(NOBODYS_SERIAL), CrlEntry(NOBODYS_SERIAL))


@fault("P", "revocation", "5.3.1")
def crl_reason_unspecified(case: Case) -> Case:
    """An entry of its CRL, not its own, has the reason code 0 (unspecified).

    It should be left out then; clients read it all the same.
    """
    unspecified = Extension(oids.CRL_REASON, False, der.tlv(_ENUMERATED, b"\0"))
    return list_in_crl(case, CrlEntry(NOBODYS_SERIAL, (unspecified,)))
