"""Host names of cases: each has its own, since clients choose between cases by it."""

from __future__ import annotations

import re
from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import common_name, shortened, with_attribute
from pkigen.model import Entity, Extension

_LONGEST_LABEL, _LONGEST_COMMON_NAME = 63, 64


def own_host(former: str, case: str) -> str:
    """What a case is called as a label in front of a name; after a wildcard, since that comes first."""
    label = re.sub("[^a-z0-9-]", "-", case)
    wildcard, rest = ("*.", former[2:]) if former.startswith("*.") else ("", former)
    room = min(_LONGEST_LABEL, _LONGEST_COMMON_NAME - len(rest) - len(wildcard) - 1)
    if room < 10:
        return shortened(f"{label} {former}", _LONGEST_COMMON_NAME)
    return f"{wildcard}{shortened(label, room)}.{rest}"


def under_host(entity: Entity, former: str, host: str) -> Entity:
    """An end entity with a host name in the place of another: in its subject, its alternative names, hosts.

    The issuer of a self-signed one follows its subject. What a fault has spoiled stays as it is.
    """
    plan = entity.certificates[0]
    subject = plan.subject
    if common_name(subject) == former:
        subject = with_attribute(subject, "CN", host)
    itself = plan.issuer_id == entity.id and plan.issuer == plan.subject
    changed = replace(
        plan,
        subject=subject,
        issuer=subject if itself else plan.issuer,
        extensions=tuple(_naming(found, former, host) for found in plan.extensions),
    )
    hosts = tuple(host if one == former else one for one in entity.hosts)
    return replace(entity, certificates=(changed,), hosts=hosts)


def _naming(extension: Extension, former: str, host: str) -> Extension:
    if extension.oid != oids.SUBJECT_ALTERNATIVE_NAME or not isinstance(extension.value, bytes):
        return extension
    try:
        held = der.children(extension.value)
    except ValueError:
        return extension
    if der.tlv(0x82, former.encode()) not in held:
        return extension
    names = (
        der.tlv(0x82, host.encode()) if found == der.tlv(0x82, former.encode()) else found for found in held
    )
    return replace(extension, value=der.sequence(*names))
