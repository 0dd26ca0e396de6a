"""Encodes typed extensions and GeneralNames to DER (RFC 5280, 4.2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from pkigen.asn1 import der, microsoft, names
from pkigen.asn1.oids import (
    AUTHORITY_INFORMATION_ACCESS,
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    CA_ISSUERS_ACCESS,
    CERTIFICATE_POLICIES,
    CERTIFICATE_TEMPLATE,
    CERTIFICATE_TEMPLATE_NAME,
    EXTENDED_KEY_USAGE,
    EXTENDED_KEY_USAGES,
    HARDWARE_MODULE_NAME,
    INHIBIT_ANY_POLICY,
    KERBEROS_PRINCIPAL_NAME,
    KEY_USAGE,
    KEY_USAGES,
    MODBUS_ROLE,
    NAME_CONSTRAINTS,
    NO_REVOCATION_AVAILABLE,
    NTDS_GUID,
    OCSP_ACCESS,
    POLICY_CONSTRAINTS,
    POLICY_MAPPINGS,
    REASON_FLAGS,
    SECURITY_IDENTIFIER,
    SIGNED_CERTIFICATE_TIMESTAMPS,
    SMTP_UTF8_MAILBOX,
    SRV_NAME,
    SUBJECT_ALTERNATIVE_NAME,
    SUBJECT_KEY_IDENTIFIER,
    TLS_FEATURE,
    USER_PRINCIPAL_NAME,
)
from pkigen.clock import Span, resolve_moment
from pkigen.model import Extension, Name
from pkigen.x509.timestamps import invented_signature, sct, sct_list

if TYPE_CHECKING:
    from pkigen.profile import (
        CertificateTemplate,
        DistributionPoint,
        DistributionPoints,
        GeneralName,
        InhibitAnyPolicy,
        NameConstraints,
        Policies,
        PolicyConstraints,
        PolicyMappings,
        SignedTimestamps,
    )

_KERBEROS_USER, _KERBEROS_SERVICE, _KERBEROS_HOST = 1, 2, 3
"""Kerberos name types (RFC 4120, 6.2): NT-PRINCIPAL, NT-SRV-INST, NT-SRV-HST."""
_IA5_CHOICES = {"email": 0x81, "dns": 0x82, "uri": 0x86}


def general_name(name: GeneralName) -> bytes:
    """Encode one GeneralName; an IP address of a name constraint is a network address and mask."""
    value = name.value
    if not isinstance(value, str):
        if name.kind == "dirname":
            return der.explicit(4, names.encode(names.name(value)))
        ((oid, data),) = value
        return _other_name(oid, bytes.fromhex(data))
    if name.kind in _IA5_CHOICES:
        return der.tlv(_IA5_CHOICES[name.kind], value.encode("ascii"))
    if name.kind == "ip":
        return der.tlv(0x87, _ip_octets(value))
    if name.kind == "rid":
        return der.tlv(0x88, der.contents(der.oid(value)))
    if name.kind == "krb5":
        return _other_name(KERBEROS_PRINCIPAL_NAME, _kerberos_principal(value))
    if name.kind == "hardware":
        return _other_name(HARDWARE_MODULE_NAME, _hardware_module(value))
    if name.kind == "ntds":
        return _other_name(NTDS_GUID, microsoft.object_guid(value))
    if name.kind == "srv":
        return _other_name(SRV_NAME, der.string(der.IA5_STRING, value))
    oid = USER_PRINCIPAL_NAME if name.kind == "upn" else SMTP_UTF8_MAILBOX
    return _other_name(oid, der.string(der.UTF8_STRING, value))


def _other_name(oid: str, value: bytes) -> bytes:
    return der.explicit(0, der.oid(oid), der.explicit(0, value))


def _kerberos_principal(text: str) -> bytes:
    """Encode KRB5PrincipalName (RFC 4556, 3.2.2); the name type follows from the number of components."""
    principal, _, realm = text.rpartition("@")
    components = principal.split("/")
    service = _KERBEROS_SERVICE if components[0] == "krbtgt" else _KERBEROS_HOST
    name_type = service if len(components) > 1 else _KERBEROS_USER
    strings = (der.string(der.GENERAL_STRING, component) for component in components)
    name = der.sequence(der.explicit(0, der.integer(name_type)), der.explicit(1, der.sequence(*strings)))
    return der.sequence(der.explicit(0, der.string(der.GENERAL_STRING, realm)), der.explicit(1, name))


def _hardware_module(text: str) -> bytes:
    """Encode HardwareModuleName (RFC 4108, 5); a serial number after 0x is in hexadecimal."""
    oid, _, serial = text.partition("/")
    number = bytes.fromhex(serial[2:]) if serial.startswith("0x") else serial.encode("ascii")
    return der.sequence(der.oid(oid), der.octet_string(number))


def general_names(values: Iterable[GeneralName]) -> bytes:
    """Encode a GeneralNames sequence."""
    return der.sequence(*map(general_name, values))


def _ip_octets(value: str) -> bytes:
    if "/" in value:
        network = ip_network(value, strict=False)
        return network.network_address.packed + network.netmask.packed
    return ip_address(value).packed


_CPS, _USER_NOTICE = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2"
_STATUS_REQUEST = 5


@lru_cache(maxsize=256)
def key_usage(usages: tuple[str, ...], critical: bool = True) -> Extension:
    """Encode KeyUsage (4.2.1.3)."""
    return Extension(KEY_USAGE, critical, der.named_bits(usages, KEY_USAGES))


@lru_cache(maxsize=256)
def extended_key_usage(usages: tuple[str, ...], critical: bool = False) -> Extension:
    """Encode ExtKeyUsageSyntax (4.2.1.12)."""
    purposes = (der.oid(EXTENDED_KEY_USAGES.get(usage, usage)) for usage in usages)
    return Extension(EXTENDED_KEY_USAGE, critical, der.sequence(*purposes))


@lru_cache(maxsize=256)
def basic_constraints(ca: bool, path_length: int | None, critical: bool = True) -> Extension:
    """Encode BasicConstraints (4.2.1.9); omit cA if FALSE, because DER omits defaults."""
    parts = [der.boolean(True)] if ca else []
    if path_length is not None:
        parts.append(der.integer(path_length))
    return Extension(BASIC_CONSTRAINTS, critical, der.sequence(*parts))


def subject_key_identifier(value: bytes) -> Extension:
    """Encode SubjectKeyIdentifier (4.2.1.2)."""
    return Extension(SUBJECT_KEY_IDENTIFIER, False, der.octet_string(value))


def authority_key_identifier(value: bytes) -> Extension:
    """Encode AuthorityKeyIdentifier (4.2.1.1) with only a key identifier."""
    return Extension(AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.tlv(0x80, value)))


def alternative_names(names: Iterable[GeneralName], critical: bool) -> Extension:
    """Encode SubjectAltName (4.2.1.6)."""
    return Extension(SUBJECT_ALTERNATIVE_NAME, critical, general_names(names))


def name_constraints(value: NameConstraints) -> Extension:
    """Encode NameConstraints (4.2.1.10); omit minimum (default 0) and maximum."""
    parts = []
    for tag, subtrees in ((0xA0, value.permitted), (0xA1, value.excluded)):
        if subtrees:
            parts.append(der.tlv(tag, *(der.sequence(general_name(base)) for base in subtrees)))
    return Extension(NAME_CONSTRAINTS, value.critical, der.sequence(*parts))


def distribution_points(oid: str, value: DistributionPoints) -> Extension:
    """Encode CRLDistributionPoints (4.2.1.13) or FreshestCRL (4.2.1.15), which share a syntax."""
    return Extension(oid, value.critical, der.sequence(*map(_distribution_point, value.points)))


def _distribution_point(value: DistributionPoint) -> bytes:
    name = distribution_point_name(
        [*map(_uri, value.uris), *map(general_name, value.names)], value.relative_name or ()
    )
    return _encoded_point(name, value.reasons, names.name(value.crl_issuer) if value.crl_issuer else ())


def distribution_point_name(full_name: Iterable[bytes], relative_name: Iterable[tuple[str, str]]) -> bytes:
    """Encode DistributionPointName (4.2.1.13) in its field [0]; empty without names."""
    if relative_name:
        (rdn,) = der.children(names.encode(names.name(relative_name)))
        return der.explicit(0, der.tlv(0xA1, der.contents(rdn)))
    encoded = b"".join(full_name)
    return der.explicit(0, der.tlv(0xA0, encoded)) if encoded else b""


def point(uris: Iterable[str], reasons: tuple[str, ...] = (), crl_issuer: Name = ()) -> bytes:
    """Encode DistributionPoint (4.2.1.13).

    Empty ``reasons`` means all reasons; an empty ``crl_issuer`` means the issuer of the certificate.
    """
    return _encoded_point(distribution_point_name(map(_uri, uris), ()), reasons, crl_issuer)


def _encoded_point(name: bytes, reasons: tuple[str, ...], crl_issuer: Name) -> bytes:
    parts = [name]
    if reasons:
        bits = der.named_bits(reasons, REASON_FLAGS)
        parts.append(der.tlv(0x81, der.contents(bits)))
    if crl_issuer:
        parts.append(der.explicit(2, der.explicit(4, names.encode(crl_issuer))))
    return der.sequence(*parts)


def _uri(uri: str) -> bytes:
    return der.tlv(0x86, uri.encode("ascii"))


def authority_information_access(ca_issuers: Iterable[str], ocsp: Iterable[str]) -> Extension:
    """Encode AuthorityInfoAccessSyntax (4.2.2.1)."""
    locations = [(OCSP_ACCESS, uri) for uri in ocsp] + [(CA_ISSUERS_ACCESS, uri) for uri in ca_issuers]
    descriptions = (der.sequence(der.oid(method), _uri(uri)) for method, uri in locations)
    return Extension(AUTHORITY_INFORMATION_ACCESS, False, der.sequence(*descriptions))


def certificate_policies(value: Policies) -> Extension:
    """Encode CertificatePolicies (4.2.1.4) with CPS pointers and explicit notice texts."""
    informations = []
    for policy in value.policies:
        qualifiers = [der.sequence(der.oid(_CPS), der.string(der.IA5_STRING, uri)) for uri in policy.cps]
        if policy.notice is not None:
            notice = der.sequence(der.string(der.UTF8_STRING, policy.notice))
            qualifiers.append(der.sequence(der.oid(_USER_NOTICE), notice))
        encoded = [der.sequence(*qualifiers)] if qualifiers else []
        informations.append(der.sequence(der.oid(policy.oid), *encoded))
    return Extension(CERTIFICATE_POLICIES, value.critical, der.sequence(*informations))


def policy_mappings(value: PolicyMappings) -> Extension:
    """Encode PolicyMappings (4.2.1.5)."""
    pairs = (der.sequence(der.oid(pair.issuer), der.oid(pair.subject)) for pair in value.mappings)
    return Extension(POLICY_MAPPINGS, value.critical, der.sequence(*pairs))


def policy_constraints(value: PolicyConstraints) -> Extension:
    """Encode PolicyConstraints (4.2.1.11); both fields are IMPLICIT INTEGERs."""
    numbers = ((0x80, value.require_explicit), (0x81, value.inhibit_mapping))
    parts = [der.tlv(tag, der.contents(der.integer(n))) for tag, n in numbers if n is not None]
    return Extension(POLICY_CONSTRAINTS, value.critical, der.sequence(*parts))


def inhibit_any_policy(value: InhibitAnyPolicy) -> Extension:
    """Encode InhibitAnyPolicy (4.2.1.14)."""
    return Extension(INHIBIT_ANY_POLICY, value.critical, der.integer(value.skip))


def tls_feature() -> Extension:
    """Encode the TLS feature status_request, known as must-staple (RFC 7633, 4.2.3)."""
    return Extension(TLS_FEATURE, False, der.sequence(der.integer(_STATUS_REQUEST)))


def no_revocation_available() -> Extension:
    """Encode the extension noRevAvail (RFC 9608, 2)."""
    return Extension(NO_REVOCATION_AVAILABLE, False, der.null())


def signed_certificate_timestamps(value: SignedTimestamps, clock: datetime) -> Extension:
    """Encode SCTs (RFC 6962, 3.3) with signatures that no key made: their logs do not exist.

    A signature depends on the time as written in the profile, not on the clock, so that ``undated`` SCTs
    change only with the profile.
    """
    scts = []
    for one in value.logs:
        text = one.at.text if isinstance(one.at, Span) else one.at.isoformat()
        signature = invented_signature(one.log + text.encode())
        scts.append(sct(one.log, resolve_moment(one.at, clock), signature))
    return Extension(SIGNED_CERTIFICATE_TIMESTAMPS, value.critical, sct_list(scts))


def security_identifier(sid: str) -> Extension:
    """Encode the SID of an account of Windows (MS-WCCE, 2.2.2.7.7.4)."""
    return Extension(SECURITY_IDENTIFIER, False, microsoft.security_identifier(sid))


def certificate_template(value: CertificateTemplate) -> Extension:
    """Encode the OID and the versions of a certificate template of Windows (MS-WCCE, 2.2.2.7.7.2)."""
    data = microsoft.certificate_template(value.oid, *value.versions)
    return Extension(CERTIFICATE_TEMPLATE, False, data)


def certificate_template_name(name: str) -> Extension:
    """Encode the name of a certificate template of version 1 (MS-WCCE, 2.2.2.7.7.1)."""
    return Extension(CERTIFICATE_TEMPLATE_NAME, False, der.string(der.BMP_STRING, name))


def modbus_role(role: str) -> Extension:
    """Encode the role of a client (MODBUS/TCP Security, R-21 and R-22)."""
    return Extension(MODBUS_ROLE, False, der.string(der.UTF8_STRING, role))
