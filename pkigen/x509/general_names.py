"""Decodes a GeneralName (RFC 5280, 4.2.1.6) to readable text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from ipaddress import ip_address

from pkigen.asn1 import der, names
from pkigen.asn1.oids import (
    HARDWARE_MODULE_NAME,
    KERBEROS_PRINCIPAL_NAME,
    NTDS_GUID,
    SMTP_UTF8_MAILBOX,
    SRV_NAME,
    USER_PRINCIPAL_NAME,
)
from pkigen.x509.decode import Malformed, decoder, elements, expect, normalized_name
from pkigen.x509.microsoft import object_guid

_OTHER_TEXTS = {USER_PRINCIPAL_NAME: "upn", SRV_NAME: "srv", SMTP_UTF8_MAILBOX: "smtputf8"}
_IA5 = {0x81: "email", 0x82: "dns", 0x86: "uri"}


@dataclass(frozen=True, slots=True)
class GeneralName:
    """A name: its kind (dns, ip, email, uri, upn, srv, smtputf8, krb5, hardware, ntds ...) and its text.

    The other kinds are rid, dirname, and ``other`` for an otherName of another type.
    Bytes that are not valid for the kind are shown in hexadecimal after a ``#``. ``type_id`` is the OID of
    the type of an otherName, otherwise empty. ``der`` is the value of a dirname or of an otherName.
    """

    kind: str
    value: str
    der: bytes = field(default=b"", compare=False, repr=False)
    type_id: str = field(default="", compare=False, repr=False)

    @property
    def normalized(self) -> tuple[str, Hashable]:
        """A form that is equal for names that match (RFC 5280, 7.1 to 7.5); "dirname" with its Name."""
        if self.kind == "dirname" and self.der:
            return self.kind, normalized_name(self.der)
        return self.kind, self.value.lower() if self.kind == "dns" else self.value

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@decoder("the general name")
def general_name(data: bytes) -> GeneralName:
    """Decode a GeneralName."""
    tag, value = data[0], der.contents(data)
    if tag in _IA5:
        return GeneralName(_IA5[tag], _text(value))
    if tag == 0x87:
        return GeneralName("ip", _address(value))
    if tag == 0x88:
        return GeneralName("rid", der.dotted(der.tlv(der.OID, value)))
    if tag == 0xA4:
        return GeneralName("dirname", names.text(names.decode(value)), value)
    if tag == 0xA0:
        return _other_name(data)
    return GeneralName("other", f"#{data.hex()}")


@decoder("the general names")
def general_names(data: bytes) -> tuple[GeneralName, ...]:
    """Decode GeneralNames; the outer tag is ignored, since it may be implicit."""
    return tuple(map(general_name, der.children(data)))


def _text(value: bytes) -> str:
    return value.decode("ascii") if value.isascii() else f"#{value.hex()}"


def _address(value: bytes) -> str:
    """Return an address; in name constraints, an address and a mask of the same size."""
    if len(value) in (4, 16):
        return str(ip_address(value))
    if len(value) in (8, 32):
        half = len(value) // 2
        return f"{ip_address(value[:half])}/{ip_address(value[half:])}"
    raise Malformed(f"an IP address of {len(value)} bytes")


def _other_name(data: bytes) -> GeneralName:
    oid, value = der.children(data)
    type_id, inner = der.dotted(oid), der.contents(value)
    if kind := _OTHER_TEXTS.get(type_id):
        return GeneralName(kind, der.contents(inner).decode(), inner, type_id)
    if type_id == HARDWARE_MODULE_NAME:
        return GeneralName("hardware", _hardware_module(inner), inner, type_id)
    if type_id == NTDS_GUID:
        return GeneralName("ntds", object_guid(inner), inner, type_id)
    if type_id == KERBEROS_PRINCIPAL_NAME and (principal := _kerberos_principal(inner)):
        return GeneralName("krb5", principal, inner, type_id)
    return GeneralName("other", f"{type_id} #{inner.hex()}", inner, type_id)


def _kerberos_principal(value: bytes) -> str:
    """Return a KRB5PrincipalName (RFC 4556, 3.2.2) as ``HTTP/host@REALM``; empty if it is not one."""
    what = "the Kerberos principal"
    try:
        realm, principal = (der.contents(one) for one in elements(value, what))
        _, strings = elements(principal, what)
        components = elements(der.contents(strings), what)
        texts = [expect(one, der.GENERAL_STRING, what).decode("ascii") for one in (*components, realm)]
    except ValueError:
        return ""
    return f"{'/'.join(texts[:-1])}@{texts[-1]}"


def _hardware_module(value: bytes) -> str:
    """Return the OID and the serial number of a HardwareModuleName (RFC 4108, 5)."""
    what = "the hardware module name"
    oid, number = elements(value, what)
    expect(oid, der.OID, what)
    serial = expect(number, der.OCTET_STRING, what)
    readable = serial.isascii() and serial.decode("ascii").isprintable() and serial[:2] not in (b"0x", b"")
    return f"{der.dotted(oid)}/{serial.decode('ascii') if readable else f'0x{serial.hex()}'}"
