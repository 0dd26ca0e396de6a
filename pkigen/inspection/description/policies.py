"""Describes the policy extensions (RFC 5280, 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pkigen.asn1 import der
from pkigen.inspection.description.words import number
from pkigen.x509 import decode

_ANY = "2.5.29.32.0"
_CPS, _USER_NOTICE = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"
_NAMES = {
    _ANY: "anyPolicy",
    "2.23.140.1.1": "extended validation (CA/Browser Forum)",
    "2.23.140.1.2.1": "domain validated (CA/Browser Forum)",
    "2.23.140.1.2.2": "organization validated (CA/Browser Forum)",
    "2.23.140.1.2.3": "individual validated (CA/Browser Forum)",
}


@decode.decoder("the certificate policies extension")
def certificate_policies(value: bytes) -> Sequence[str]:
    """Return a line for each policy, and one for each of its qualifiers."""
    lines = []
    for policy in decode.elements(value, "the certificate policies extension"):
        oid, *qualifiers = der.children(policy)
        lines.append(_policy(oid))
        for sequence in qualifiers:
            lines += [f"  {_qualifier(part)}" for part in der.children(sequence)]
    return lines


@decode.decoder("the policy mappings extension")
def policy_mappings(value: bytes) -> Sequence[str]:
    """Return a line for each mapping."""
    pairs = map(der.children, decode.elements(value, "the policy mappings extension"))
    return [f"{_policy(issuers)} is {_policy(subjects)}" for issuers, subjects in pairs]


@decode.decoder("the policy constraints extension")
def policy_constraints(value: bytes) -> Sequence[str]:
    """Return a line for each constraint."""
    words = {0x80: "an explicit policy is required", 0x81: "policy mapping is inhibited"}
    return [
        f"{words.get(part[0], f'[{part[0]:02x}]')} after {_count(part)} certificates"
        for part in decode.elements(value, "the policy constraints extension")
    ]


@decode.decoder("the inhibit anyPolicy extension")
def inhibit_any_policy(value: bytes) -> Sequence[str]:
    """Return the number of certificates after which anyPolicy no longer matches."""
    return (f"after {number(decode.integer(value, 'the number'))} certificates",)


def _count(part: bytes) -> str:
    return number(int.from_bytes(der.contents(part), "big", signed=True))


def _policy(oid: bytes) -> str:
    dotted = der.dotted(oid)
    return f"{dotted} {_NAMES[dotted]}" if dotted in _NAMES else dotted


def _qualifier(data: bytes) -> str:
    oid, *values = der.children(data)
    kind = der.dotted(oid)
    if kind == _CPS:
        return f"practice statement {_text(values[0])}"
    if kind == _USER_NOTICE:
        return f"notice {', '.join(_texts(values[0])) or '(empty)'}" if values else "notice (empty)"
    return f"qualifier {kind}"


def _texts(notice: bytes) -> Iterator[str]:
    """Yield explicitText, and the organization of noticeRef (a SEQUENCE that begins with a string)."""
    for part in der.children(notice):
        yield f"'{_text(der.children(part)[0] if part[0] == der.SEQUENCE else part)}'"


def _text(data: bytes) -> str:
    codec = "utf-16-be" if data[0] == der.BMP_STRING else "utf-8"
    return der.contents(data).decode(codec, "replace")
