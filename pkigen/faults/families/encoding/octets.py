"""Encodings of the certificate that are not DER, or not allowed by RFC 5280, 4.1 (X.690).

The signature covers the faulty bytes, so that tolerant readers find it valid.
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
    raise Impossible(f"the certificate has no extension that is {'' if critical else 'not '}critical")


@fault("V", "parse", "X.690 8.1", finds=("path:unreadable", "unreadable"))
def der_trailing_data(case: Case) -> Case:
    """The certificate is followed by two extra bytes.

    The bytes are outside the certificate and its signature. Strict parsers reject them; others
    ignore them.
    """
    return case.edit(_outside(_WHOLE, EditOp.APPEND, _TWO_OCTETS))


@fault("R", "parse", "X.690 8.1.3", finds=("path:unreadable", "unreadable"))
def der_truncated(case: Case) -> Case:
    """The certificate lacks its last 40 bytes.

    Parsers report a truncated structure, because the encoded lengths exceed the data. Obtain the
    file again.
    """
    return case.edit(_outside(_WHOLE, EditOp.TRUNCATE, _CUT))


@fault("V", "parse", "X.690 10.1", finds=("path:unreadable", "unreadable"))
def ber_indefinite_outer(case: Case) -> Case:
    """The certificate has an indefinite length and ends with two zero bytes.

    BER allows indefinite lengths, DER does not; strict parsers reject the certificate. The signed
    part is valid DER.
    """
    return case.edit(_outside(_WHOLE, EditOp.INDEFINITE_LENGTH))


@fault("V", "parse", "X.690 10.1")
def ber_nonminimal_length(case: Case) -> Case:
    """The certificate has a validity whose length has an unnecessary extra byte.

    BER allows this, but DER requires the shortest form; strict parsers reject the certificate.
    """
    return case.edit(Edit((_VALIDITY,), EditOp.PAD_LENGTH))


@fault("V", "parse", "X.690 8.3.2", finds=("path:malformed", "path-valid", "chain-of-trust"))
def ber_nonminimal_integer(case: Case) -> Case:
    """The certificate has a serial number with an unnecessary leading zero byte.

    Neither BER nor DER allows this; strict parsers reject the certificate, others read the same
    number.
    """
    return case.edit(Edit((_SERIAL,), EditOp.PREPEND_CONTENTS, b"\x00"))


@fault("V", "parse", "X.690 11.1", finds=("der-encoding",))
def ber_boolean_nonff(case: Case) -> Case:
    """The certificate has a critical extension whose BOOLEAN TRUE is encoded as 01.

    BER accepts any nonzero byte as TRUE, but DER requires FF; strict parsers reject the
    certificate.
    """
    true = der.tlv(der.BOOLEAN, b"\x01")
    return case.edit(Edit((*_extension(case, critical=True), 1), EditOp.REPLACE, true))


@fault("V", "parse", "X.690 11.5", finds=("der-encoding",))
def der_explicit_default_false(case: Case) -> Case:
    """The certificate has an extension that encodes critical as FALSE explicitly.

    FALSE is the default, and DER omits default values; strict parsers reject the certificate.
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
        "der-encoding",
        "extension-readable",
        "extension-not-empty",
        "extension-not-critical",
        "ian-not-critical",
        "key-identifier",
        "key-usage-consistent",
        "policies",
        "san-syntax",
        "ian-syntax",
        "ca-only-extensions",
        "crl-point-complete",
        "name-constraints",
    ),
)
def der_constructed_octet_string(case: Case) -> Case:
    """The certificate has an extension value that is a constructed OCTET STRING.

    BER allows constructed strings, DER only primitive ones; strict parsers reject the certificate.
    """
    return case.edit(Edit((*_extension(case, critical=False), 1), EditOp.MAKE_CONSTRUCTED))


@fault("V", "parse", "X.690 11.6")
def der_set_unsorted(case: Case) -> Case:
    """The certificate subject has a multivalued RDN whose attributes are not sorted.

    DER sorts the elements of a SET OF by their encoding; few parsers check this.
    """
    if not case.plan.subject:
        raise Impossible("the certificate has no subject")
    *others, last = case.plan.subject
    subject = (*others, (*last, _SERIAL_NUMBER))
    together = der.children(names.encode(subject))[-1]
    unsorted = der.tlv(der.SET, *reversed(der.children(together)))
    places = (_SUBJECT, _ISSUER) if case.plan.issuer_id == case.entity.id else (_SUBJECT,)
    edits = (Edit((place, len(others)), EditOp.REPLACE, unsorted) for place in places)
    return case.change(subject=subject).edit(*edits)


@fault("R", "parse", "4.1.1.3", finds=("path:bad-signature", "chain-issuer"))
def der_sig_unused_bits(case: Case) -> Case:
    """The certificate has a changed signature whose last 3 bits are unused.

    A signature consists of whole bytes, and DER requires unused bits to be 0, which these are not.
    Clients report a malformed certificate or an invalid signature.
    """
    return case.edit(_outside(_SIGNATURE, EditOp.SET_UNUSED_BITS, b"\x03"))


@fault("V", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_extra_field_cert(case: Case) -> Case:
    """The certificate has a fourth element after the signature.

    A certificate has exactly three elements. Strict parsers reject the fourth, which no signature
    covers.
    """
    return case.edit(_outside(_SIGNATURE, EditOp.APPEND, der.null()))


@fault("V", "parse", "4.1", finds=("path:malformed", "path-valid", "chain-of-trust"))
def der_extra_field_tbs(case: Case) -> Case:
    """The certificate has an element after the extensions in its TBSCertificate.

    Extensions are the last field of TBSCertificate; strict parsers reject the certificate.
    """
    if not case.plan.extensions:
        raise Impossible("the certificate has no extensions")
    return case.edit(Edit((_EXTENSIONS,), EditOp.APPEND, der.null()))


@fault("R", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_wrong_tag_tbs(case: Case) -> Case:
    """The certificate has a TBSCertificate with the tag of a SET.

    The tag must be SEQUENCE; parsers reject the certificate, although the elements inside are
    valid.
    """
    return case.edit(Edit(_WHOLE, EditOp.RETAG, bytes((der.SET,))))


@fault("R", "parse", "4.1", finds=("path:unreadable", "unreadable"))
def der_missing_signature(case: Case) -> Case:
    """The certificate has no signature.

    Parsers reject it: a certificate has three elements, and this one has two.
    """
    return case.edit(_outside(_SIGNATURE, EditOp.REMOVE))
