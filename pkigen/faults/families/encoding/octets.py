"""Octets of the certificate that are not DER, or not what RFC 5280, 4.1 gives it (X.690).

What is signed is signed as it stands: readers that take it find the signature right.
"""

from __future__ import annotations

from pkigen.asn1 import der, names
from pkigen.cases.case import Case, Impossible
from pkigen.faults.registry import fault
from pkigen.model import Attribute, Edit, EditOp

_WHOLE = ()
_SERIAL, _ISSUER, _VALIDITY, _SUBJECT, _EXTENSIONS = 1, 3, 4, 5, 7
_SIGNATURE = (2,)
_TWO_OCTETS, _CUT = bytes(2), bytes(40)
_SERIAL_NUMBER = Attribute("2.5.4.5", "1", der.PRINTABLE_STRING)


def _outside(path: tuple[int, ...], op: EditOp, data: bytes = b"") -> Edit:
    """An edit of what is around the signed part."""
    return Edit(path, op, data, signed=False)


def _extension(case: Case, *, critical: bool) -> tuple[int, ...]:
    """The path to the first extension that is critical, or not."""
    for number, extension in enumerate(case.plan.extensions):
        if extension.critical is critical:
            return _EXTENSIONS, 0, number
    raise Impossible(f"the sound certificate has no extension that is {'' if critical else 'not '}critical")


@fault("V", "parse", "X.690 8.1", finds=("path:unreadable", "unreadable"))
def der_trailing_data(case: Case) -> Case:
    """Two octets follow the certificate.

    They are outside of it and of the signature; strict parsers refuse them, others do not look.
    """
    return case.edit(_outside(_WHOLE, EditOp.APPEND, _TWO_OCTETS))


@fault("R", "parse", "X.690 8.1.3", finds=("path:unreadable", "unreadable"))
def der_truncated(case: Case) -> Case:
    """Its last 40 octets are missing.

    The lengths inside lead past its end: it cannot be read.
    """
    return case.edit(_outside(_WHOLE, EditOp.TRUNCATE, _CUT))


@fault("V", "parse", "X.690 10.1", finds=("path:unreadable", "unreadable"))
def ber_indefinite_outer(case: Case) -> Case:
    """It has an indefinite length, and ends in two zero octets.

    BER allows that, DER does not; what is signed is DER all the same.
    """
    return case.edit(_outside(_WHOLE, EditOp.INDEFINITE_LENGTH))


@fault("V", "parse", "X.690 10.1")
def ber_nonminimal_length(case: Case) -> Case:
    """The length of its validity has an octet more than it needs.

    BER allows that, DER wants the shortest form.
    """
    return case.edit(Edit((_VALIDITY,), EditOp.PAD_LENGTH))


@fault("V", "parse", "X.690 8.3.2", finds=("path:malformed", "path-valid", "chain-of-trust"))
def ber_nonminimal_integer(case: Case) -> Case:
    """Its serial number has a zero octet too many in front.

    Not even BER allows that; the number itself is the same.
    """
    return case.edit(Edit((_SERIAL,), EditOp.PREPEND_CONTENTS, b"\x00"))


@fault("V", "parse", "X.690 11.1")
def ber_boolean_nonff(case: Case) -> Case:
    """The TRUE that makes an extension critical is 01.

    BER takes whatever is not zero for TRUE, DER has ff alone.
    """
    true = der.tlv(der.BOOLEAN, b"\x01")
    return case.edit(Edit((*_extension(case, critical=True), 1), EditOp.REPLACE, true))


@fault("V", "parse", "X.690 11.5")
def der_explicit_default_false(case: Case) -> Case:
    """An extension says that it is not critical.

    FALSE is the default, and DER leaves defaults out.
    """
    return case.edit(Edit((*_extension(case, critical=False), 1), EditOp.INSERT, der.boolean(False)))


@fault(
    "V",
    "parse",
    "X.690 10.2",
    finds=(
        "path:malformed",
        "extension-once",
        "extension-known",
        "authority-key-identifier",
        "subject-key-identifier",
        "key-usage-critical",
        "key-usage-some",
        "key-usage-no-certsign",
        "san-not-empty",
        "no-path-length",
        "crl-point-not-critical",
        "aia-not-critical",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "server-purpose",
        "no-any-purpose",
        "digital-signature",
        "no-ca",
        "known-critical",
        "crl-distribution-point",
        "crl-url-http",
    ),
)
def der_constructed_octet_string(case: Case) -> Case:
    """The value of an extension is an OCTET STRING in segments.

    BER allows that, DER has strings in one piece.
    """
    return case.edit(Edit((*_extension(case, critical=False), 1), EditOp.MAKE_CONSTRUCTED))


@fault("V", "parse", "X.690 11.6")
def der_set_unsorted(case: Case) -> Case:
    """Its subject has a serial number beside another attribute, in the wrong order.

    DER sorts the elements of a SET OF by their octets; hardly any parser looks.
    """
    if not case.plan.subject:
        raise Impossible("the sound certificate has no subject")
    *others, last = case.plan.subject
    subject = (*others, (*last, _SERIAL_NUMBER))
    together = der.children(names.encode(subject))[-1]
    unsorted = der.tlv(der.SET, *reversed(der.children(together)))
    places = (_SUBJECT, _ISSUER) if case.plan.issuer_id == case.entity.id else (_SUBJECT,)
    edits = (Edit((place, len(others)), EditOp.REPLACE, unsorted) for place in places)
    return case.change(subject=subject).edit(*edits)


@fault("R", "parse", "4.1.1.3", finds=("path:bad-signature", "chain-issuer"))
def der_sig_unused_bits(case: Case) -> Case:
    """Its signature says that its last 3 bits are unused, and they are set.

    Signatures are whole octets: what is left of this one does not verify. In DER unused bits are 0.
    """
    return case.edit(_outside(_SIGNATURE, EditOp.SET_UNUSED_BITS, b"\x03"))


@fault("V", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_extra_field_cert(case: Case) -> Case:
    """It has a fourth element behind the signature.

    A certificate has three; the fourth is signed by nobody.
    """
    return case.edit(_outside(_SIGNATURE, EditOp.APPEND, der.null()))


@fault("V", "parse", "4.1", finds=("path:malformed", "path-valid", "chain-of-trust"))
def der_extra_field_tbs(case: Case) -> Case:
    """Its signed part has an element behind the extensions.

    Nothing may follow them.
    """
    if not case.plan.extensions:
        raise Impossible("the sound certificate has no extensions")
    return case.edit(Edit((_EXTENSIONS,), EditOp.APPEND, der.null()))


@fault("R", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_wrong_tag_tbs(case: Case) -> Case:
    """Its signed part is a SET.

    A SEQUENCE is due; the elements inside are sound.
    """
    return case.edit(Edit(_WHOLE, EditOp.RETAG, bytes((der.SET,))))


@fault("R", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_missing_signature(case: Case) -> Case:
    """It has no signature.

    Two elements where there are three: nothing vouches for it.
    """
    return case.edit(_outside(_SIGNATURE, EditOp.REMOVE))
