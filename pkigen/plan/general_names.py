"""GeneralNames in DER (RFC 5280, 4.2.1.6)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from pkigen.asn1 import der, names
from pkigen.asn1.oids import USER_PRINCIPAL_NAME

if TYPE_CHECKING:
    from pkigen.profile import GeneralName

_IA5_CHOICES = {"email": 0x81, "dns": 0x82, "uri": 0x86}


def general_name(name: GeneralName) -> bytes:
    """One GeneralName; an IP address of a name constraint is a network, address and mask."""
    value = name.value
    if not isinstance(value, str):
        return der.explicit(4, names.encode(names.name(value)))
    if name.kind in _IA5_CHOICES:
        return der.tlv(_IA5_CHOICES[name.kind], value.encode("ascii"))
    if name.kind == "ip":
        return der.tlv(0x87, _ip_octets(value))
    if name.kind == "rid":
        return der.tlv(0x88, der.contents(der.oid(value)))
    upn = der.explicit(0, der.string(der.UTF8_STRING, value))
    return der.explicit(0, der.oid(USER_PRINCIPAL_NAME), upn)


def general_names(found: Iterable[GeneralName]) -> bytes:
    """A GeneralNames sequence."""
    return der.sequence(*map(general_name, found))


def _ip_octets(value: str) -> bytes:
    if "/" in value:
        network = ip_network(value, strict=False)
        return network.network_address.packed + network.netmask.packed
    return ip_address(value).packed
