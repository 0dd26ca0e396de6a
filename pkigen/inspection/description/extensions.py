"""Describes extensions (RFC 5280, 4.2 and 5.2; RFC 6962, 7633)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pkigen.asn1 import der, oids
from pkigen.inspection.description.policies import (
    certificate_policies,
    inhibit_any_policy,
    policy_constraints,
    policy_mappings,
)
from pkigen.inspection.description.sheet import DescriptionBuilder, shortened
from pkigen.inspection.description.words import hexadecimal, instant, number
from pkigen.x509 import Extensions, GeneralName, RawExtension, decode
from pkigen.x509 import extensions as read
from pkigen.x509.general_names import general_names
from pkigen.x509.microsoft import certificate_template, security_identifier
from pkigen.x509.timestamps import timestamps

_POISON = "1.3.6.1.4.1.11129.2.4.3"
_TEXTS = ("2.16.840.1.113730.1.13", oids.CERTIFICATE_TEMPLATE_NAME, oids.MODBUS_ROLE)
_METHODS = {
    oids.OCSP_ACCESS: "OCSP",
    oids.CA_ISSUERS_ACCESS: "caIssuers",
    "1.3.6.1.5.5.7.48.3": "timeStamping",
    "1.3.6.1.5.5.7.48.5": "caRepository",
}
_FEATURES = {5: "status_request (OCSP must-staple)", 17: "status_request_v2"}
_ONLY = {
    "user": "only end-entity certificates",
    "ca": "only CA certificates",
    "attribute": "only attribute certificates",
}
_HEX_CHARACTERS = 96
_ON_ONE_LINE = (oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE, oids.TLS_FEATURE)

Words = Sequence[str]


def add_extensions(sheet: DescriptionBuilder, get: Callable[[], Extensions]) -> None:
    """Add a field for each extension under its OID, and the list of extensions to the data."""
    try:
        extensions = get()
    except ValueError as error:
        sheet.add_malformed("extensions", "extensions", error)
        sheet.data["extensions"] = None
        return
    sheet.data["extensions"] = [_add(sheet, extension) for extension in extensions]


def _add(sheet: DescriptionBuilder, extension: RawExtension) -> dict[str, Any]:
    title = extension.title
    label = f"{shortened(title, 60)} ({'critical' if extension.critical else 'not critical'})"
    data: dict[str, Any] = {
        "oid": extension.oid,
        "name": None if title == extension.oid else title,
        "critical": extension.critical,
        "values": None,
        "der": extension.value.hex(),
        "problem": None,
    }
    try:
        words = tuple(in_words(extension))
    except ValueError as error:
        data["problem"] = str(error)
        sheet.add_malformed(extension.oid, label, error)
        return data
    data["values"] = [line.strip() for line in words]
    if extension.oid in _ON_ONE_LINE:
        words = (", ".join(words),)
    sheet.show(extension.oid, label, *(words if any(words) else ("(empty)",)))
    return data


def in_words(extension: RawExtension) -> Words:
    """Return the values of an extension as lines; ValueError if it cannot be decoded.

    An unknown extension is shown in hexadecimal.
    """
    reader = _READERS.get(extension.oid)
    return reader(extension.value) if reader else (_hexadecimal(extension.value),)


def _hexadecimal(value: bytes) -> str:
    return shortened(value.hex(), _HEX_CHARACTERS)


def _basic_constraints(value: bytes) -> Words:
    constraints = read.basic_constraints(value)
    limit = "" if constraints.path_length is None else f", path length {number(constraints.path_length)}"
    return (("a CA" if constraints.ca else "not a CA") + limit,)


def _names(names: Iterable[GeneralName]) -> Words:
    return tuple(map(str, names))


def _authority_key_identifier(value: bytes) -> Words:
    identifier = read.authority_key_identifier(value)
    lines = [] if identifier.key_identifier is None else [f"key {_hexadecimal(identifier.key_identifier)}"]
    lines += [f"issuer {name}" for name in identifier.issuer]
    if identifier.serial is not None:
        lines.append(f"serial {hexadecimal(identifier.serial)}")
    return lines


def _distribution_points(value: bytes) -> Words:
    lines = []
    for point in read.distribution_points(value):
        nameless = "a name relative to the issuer's" if point.relative_rdn else "(no name)"
        where = [_location(name) for name in point.names] or [nameless]
        more = [f"for {', '.join(point.reasons)}"] if point.reasons else []
        more += [f"CRL issuer {name}" for name in point.crl_issuer]
        lines += [*where[:-1], "; ".join((where[-1], *more))]
    return lines


def _location(name: GeneralName) -> str:
    return name.value if name.kind == "uri" else str(name)


def _access(value: bytes) -> Words:
    descriptions = read.access_descriptions(value)
    return [f"{_METHODS.get(method, method)} {_location(name)}" for method, name in descriptions]


def _name_constraints(value: bytes) -> Words:
    return [
        f"{kind} {one.base}" + (", with a minimum or maximum" if one.minimum or one.has_maximum else "")
        for kind, subtrees in read.name_constraints(value)
        for one in subtrees
    ]


@decode.decoder("the TLS feature extension")
def _tls_feature(value: bytes) -> Words:
    features = (
        decode.integer(part, "a feature") for part in decode.elements(value, "the TLS feature extension")
    )
    return tuple(_FEATURES.get(feature, number(feature)) for feature in features)


@decode.decoder("the extension")
def _number(value: bytes) -> Words:
    return (number(decode.integer(value, "the number")),)


def _delta_crl_indicator(value: bytes) -> Words:
    return (f"a delta to CRL number {_number(value)[0]}",)


def _issuing_distribution_point(value: bytes) -> Words:
    point = read.issuing_distribution_point(value)
    lines = [_location(name) for name in point.names]
    lines += [_ONLY[kind] for kind in point.only]
    if point.reasons:
        lines.append(f"only for {', '.join(point.reasons)}")
    if point.indirect:
        lines.append("an indirect CRL, which may contain entries of other issuers")
    return lines


@decode.decoder("the names")
def _general_names(value: bytes) -> Words:
    decode.expect(value, der.SEQUENCE, "the names")
    return _names(general_names(value))


@decode.decoder("the private key usage period extension")
def _private_key_usage_period(value: bytes) -> Words:
    words = {0x80: "from", 0x81: "until"}
    parts = decode.elements(value, "the private key usage period extension")
    return [
        f"{words.get(part[0], f'[{part[0]:02x}]')} "
        + instant(decode.time(der.tlv(der.GENERALIZED_TIME, der.contents(part)), "a time"))
        for part in parts
    ]


@decode.decoder("the list of timestamps")
def _timestamps(value: bytes) -> Words:
    """SignedCertificateTimestampList (RFC 6962, 3.3)."""
    entries = timestamps(value)
    lines = [f"log {log_id.hex()} at {instant(at)}" for log_id, at in entries]
    return (f"{len(entries):,} from certificate transparency logs", *lines)


def _template(value: bytes) -> Words:
    oid, versions = certificate_template(value)
    return (f"{oid}, version {'.'.join(map(number, versions))}" if versions else oid,)


@decode.decoder("the text")
def _text(value: bytes) -> Words:
    return (der.contents(value).decode("utf-16-be" if value[0] == der.BMP_STRING else "utf-8"),)


_READERS: dict[str, Callable[[bytes], Words]] = {
    oids.BASIC_CONSTRAINTS: _basic_constraints,
    oids.KEY_USAGE: read.key_usage,
    oids.EXTENDED_KEY_USAGE: read.extended_key_usage,
    oids.SUBJECT_ALTERNATIVE_NAME: lambda value: _names(read.alternative_names(value)),
    oids.ISSUER_ALTERNATIVE_NAME: _general_names,
    oids.SUBJECT_KEY_IDENTIFIER: lambda value: (_hexadecimal(read.subject_key_identifier(value)),),
    oids.AUTHORITY_KEY_IDENTIFIER: _authority_key_identifier,
    oids.CRL_DISTRIBUTION_POINTS: _distribution_points,
    oids.FRESHEST_CRL: _distribution_points,
    oids.AUTHORITY_INFORMATION_ACCESS: _access,
    oids.SUBJECT_INFORMATION_ACCESS: _access,
    oids.CERTIFICATE_POLICIES: certificate_policies,
    oids.POLICY_MAPPINGS: policy_mappings,
    oids.POLICY_CONSTRAINTS: policy_constraints,
    oids.INHIBIT_ANY_POLICY: inhibit_any_policy,
    oids.NAME_CONSTRAINTS: _name_constraints,
    oids.TLS_FEATURE: _tls_feature,
    oids.CRL_NUMBER: _number,
    oids.DELTA_CRL_INDICATOR: _delta_crl_indicator,
    oids.ISSUING_DISTRIBUTION_POINT: _issuing_distribution_point,
    oids.PRIVATE_KEY_USAGE_PERIOD: _private_key_usage_period,
    oids.OCSP_NO_CHECK: lambda _: ("OCSP responder: clients do not check its revocation",),
    oids.SIGNED_CERTIFICATE_TIMESTAMPS: _timestamps,
    oids.NO_REVOCATION_AVAILABLE: lambda _: ("the CA publishes no revocation information about it",),
    oids.SECURITY_IDENTIFIER: lambda value: (security_identifier(value),),
    oids.CERTIFICATE_TEMPLATE: _template,
    _POISON: lambda _: ("precertificate: no client accepts it",),
    **dict.fromkeys(_TEXTS, _text),
}
