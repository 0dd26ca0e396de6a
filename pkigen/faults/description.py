"""Describes a fault: what it changes in a case, derived from the change itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import Field, fields
from datetime import datetime
from typing import Any

from pkigen.asn1 import names, oids
from pkigen.cases.case import Case
from pkigen.model import (
    CertificatePlan,
    CrlEntry,
    CrlPart,
    Edit,
    EditOp,
    Entity,
    Extension,
    KeyIdentifier,
    Name,
    OcspPlan,
    Responder,
    Signature,
)

_TBS = (
    "version",
    "serial number",
    "signature algorithm, the signed one",
    "issuer",
    "validity",
    "subject",
    "subject public key info",
    "extensions",
)
_CERTIFICATE = ("TBSCertificate, once it is signed", "signature algorithm", "signature")
_SHOWN_OCTETS = 24
_LONGEST_NAME = 100
_DESCRIBED_FIELDS = (
    "spec",
    "subject",
    "issuer",
    "issuer_id",
    "not_before",
    "not_after",
    "extensions",
    "edits",
)
_LISTED_AUTHORITIES = 5
_WHO = ("issuing CA", "CA above that")


def changes(base: Case, made: Case) -> tuple[str, ...]:
    """Describe the differences between two cases, one line each.

    The name and URLs of a copied CA are not listed as differences.
    """
    plain = copied_alike(base, made)
    lines = list(_of_entity(made.entity, plain.entity, base.clock, "certificate"))
    sound = {entity.name: entity for entity in plain.authorities}
    for level, entity in enumerate(made.authorities):
        who = "root" if level == made.root else _WHO[min(level, 1)]
        if entity.name in sound:
            lines += _of_entity(entity, sound[entity.name], base.clock, f"{who} (a copy)")
    lines += _of_additional(base, plain, [one for one in made.authorities if one.name not in sound])
    if made.sibling is not None:
        lines.append("a second certificate of the same kind")
    if not made.authorities and base.authorities:
        lines.insert(0, "certificate: self-signed")
    return tuple(lines)


def _of_additional(base: Case, plain: Case, additional: Sequence[Entity]) -> Iterator[str]:
    """Describe the additional CAs by how they differ from the CA whose name theirs begins with."""
    described = list[list[str]]()
    sources = {one.name: copy for one, copy in zip(base.authorities, plain.authorities, strict=True)}
    for entity in additional:
        name = max((name for name in sources if entity.name.startswith(f"{name}.")), key=len, default="")
        described.append(list(_of_certificate_and_key(entity, sources[name], base.clock)) if name else [])
    if len(additional) > _LISTED_AUTHORITIES:
        yield f"{len(additional)} additional CAs in the path"
        counts = Counter(line for lines in described for line in lines)
        usual = [(line, count) for line, count in counts.items() if 2 * count > len(additional)]
        yield from (f"{count} of these CAs: {line}" for line, count in usual)
        return
    for entity, lines in zip(additional, described, strict=True):
        yield f"additional CA in the path: {entity.name}"
        yield from (f"{entity.name}: {line}" for line in lines)


def copied_alike(base: Case, made: Case) -> Case:
    """Return the original case with copies of the same CAs as the changed case."""
    names = {entity.name for entity in made.authorities}
    replaced = [level for level, entity in enumerate(base.authorities) if entity.name not in names]
    if not made.authorities or not replaced:
        return base
    return base.change_authority(max(replaced), lambda entity: entity)


def _of_entity(entity: Entity, sound: Entity, clock: datetime, who: str) -> Iterator[str]:
    for words in _of_certificate_and_key(entity, sound, clock):
        yield f"{who}: {words}"
    if entity.key_of != sound.key_of and entity.key_of and "/" in entity.key_of:
        yield f"{who}: the key of {entity.key_of}"
    for alteration in entity.output.alterations:
        how = " ".join(filter(None, (alteration.how, alteration.argument)))
        yield f"{alteration.file} file: {how}"
    if entity.revocation is not None and entity.revocation != sound.revocation:
        yield f"{who}: revoked, {entity.revocation.reason}"
    for name in ("crl", "ocsp"):
        yield from _of_publication(getattr(entity, name, None), getattr(sound, name, None), name.upper())
    for serving in entity.serving:
        yield " ".join(filter(None, (f"server: {serving.url}:", serving.how, serving.argument)))
    if not entity.trusted:
        yield f"{who}: not among the trust anchors"
    if entity.trust:
        yield f"clients trust {' and '.join(entity.trust)}"


def _of_certificate_and_key(entity: Entity, sound: Entity, clock: datetime) -> Iterator[str]:
    if entity.certificates and sound.certificates:
        yield from _of_plan(entity.certificates[0], sound.certificates[0], clock)
    if entity.key != sound.key:
        yield f"key kind {entity.key}"


def _of_plan(plan: CertificatePlan, sound: CertificatePlan, clock: datetime) -> Iterator[str]:
    if plan.subject != sound.subject:
        yield f"subject {_name(plan.subject)}"
    if plan.issuer != sound.issuer and plan.issuer not in (plan.subject, sound.subject):
        yield f"issuer {_name(plan.issuer)}"
    if (plan.not_before, plan.not_after) != (sound.not_before, sound.not_after):
        yield f"valid from {_apart(plan.not_before, clock)} to {_apart(plan.not_after, clock)} of the build"
    for field in _others(plan):
        value = getattr(plan, field.name)
        if value != getattr(sound, field.name):
            yield f"{field.name.replace('_', ' ')} {_text(value)}"
    yield from _of_extensions(plan.extensions, sound.extensions)
    yield from (_of_edit(edit) for edit in plan.edits)


def _name(name: Name) -> str:
    text = names.text(name) or "(empty)"
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}... ({len(text)} characters)"


def _others(plan: CertificatePlan) -> Iterator[Field[Any]]:
    return (field for field in fields(plan) if field.name not in _DESCRIBED_FIELDS)


def _of_extensions(extensions: Sequence[Extension], sound: Sequence[Extension]) -> Iterator[str]:
    former_extensions = {extension.oid: extension for extension in sound}
    for extension in extensions:
        title = oids.TITLES.get(extension.oid, extension.oid)
        former = former_extensions.pop(extension.oid, None)
        if former == extension:
            continue
        if former is None or former.value != extension.value:
            yield f"{_titled(extension)}: {_value(extension)}"
        elif former.critical != extension.critical:
            yield f"{title}: {'critical' if extension.critical else 'not critical'}"
    for oid in former_extensions:
        yield f"no {oids.TITLES.get(oid, oid)}"


def _value(extension: Extension) -> str:
    value = extension.value
    return value.value if isinstance(value, KeyIdentifier) else _octets(value)


def _of_edit(edit: Edit) -> str:
    places = _TBS if edit.signed else _CERTIFICATE
    whole = "TBSCertificate" if edit.signed else "certificate"
    place = places[min(edit.path[0], len(places) - 1)] if edit.path else whole
    deeper = "".join(f", element {number + 1}" for number in edit.path[1:])
    return f"bytes of {place}{deeper}: {_edit_text(edit)}"


def _edit_text(edit: Edit) -> str:
    if edit.op is EditOp.TRUNCATE:
        return f"truncated by {len(edit.data)}, length unchanged"
    return edit.op.value + (f": {_octets(edit.data)}" if edit.data else "")


def _of_publication(made: Any, sound: Any, who: str) -> Iterator[str]:
    if made is None or made == sound:
        return
    if sound is None and isinstance(made, OcspPlan):
        yield f"{who}: a response at its own URL"
        sound = OcspPlan(made.url)
    for field in fields(made):
        value = getattr(made, field.name)
        if field.name == "url" or (sound is not None and value == getattr(sound, field.name)):
            continue
        for words in _values(value):
            yield f"{who}: {field.name.replace('_', ' ')} {words}".rstrip()


def _values(value: Any) -> Iterator[str]:
    if value in ((), None, "", False):
        yield "none"
    elif isinstance(value, tuple):
        for one in value:
            yield _of_edit_of_list(one) if isinstance(one, Edit) else _text(one)
    else:
        yield "" if value is True else _text(value)


def _of_edit_of_list(edit: Edit) -> str:
    place = (
        "the structure" if not edit.path else "element " + ".".join(str(number + 1) for number in edit.path)
    )
    return f"of {place}: {_edit_text(edit)}"


def _octets(data: bytes) -> str:
    more = f"... ({len(data)} bytes)" if len(data) > _SHOWN_OCTETS else ""
    return (data[:_SHOWN_OCTETS].hex() or "empty") + more


def _signature(signature: Signature) -> str:
    parts = (
        signature.digest,
        "RSA-PSS" if signature.pss else "",
        f"with a salt of {signature.salt} bytes" if signature.salt is not None else "",
        f"MGF1 with {signature.mask}" if signature.mask else "",
        "without NULL in the DigestInfo" if signature.bare_digest_info else "",
        "on a curve whose generator is the public key" if signature.own_generator else "",
    )
    return " ".join(filter(None, parts))


def _entry(entry: CrlEntry) -> str:
    extensions = ", ".join(f"{_titled(one)}: {_value(one)}" for one in entry.extensions)
    return f"for serial number {entry.serial:x}" + (f" with {extensions}" if extensions else "")


def _part(part: CrlPart) -> str:
    parts = (
        part.name,
        f"for {', '.join(part.reasons)}" if part.reasons else "",
        "indirect" if part.indirect else "",
        f"a delta CRL, valid for {part.delta} seconds" if part.delta else "",
        *(f"an entry {_entry(entry)}" for entry in part.entries),
    )
    return ", ".join(filter(None, parts))


def _responder(responder: Responder) -> str:
    parts = (
        "self-signed" if responder.issued_by == "itself" else "",
        "certified by another CA" if "/" in responder.issued_by else "",
        "expired" if responder.ended else "",
        f"for {', '.join(responder.purposes) or 'no purpose'}",
        "" if responder.extensions else "without id-pkix-ocsp-nocheck",
        "" if responder.enclosed else "without its certificate in the response",
        *(f"bytes {_edit_text(edit)}" for edit in responder.edits),
    )
    return ", ".join(filter(None, parts))


def _titled(extension: Extension) -> str:
    title = oids.TITLES.get(extension.oid, extension.oid)
    return f"{title} (critical)" if extension.critical else title


_TEXTS: dict[type, Callable[[Any], str]] = {
    CrlEntry: _entry,
    CrlPart: _part,
    Responder: _responder,
    bytes: _octets,
    Signature: _signature,
    Extension: lambda value: f"{_titled(value)}: {_value(value)}",
}


def _text(value: Any) -> str:
    return _TEXTS[type(value)](value) if type(value) in _TEXTS else str(value)


def _apart(instant: datetime, clock: datetime) -> str:
    seconds = int((instant - clock).total_seconds())
    days, rest = divmod(abs(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    parts = [f"{days}d" if days else "", f"{hours}h" if hours else "", f"{rest}s" if rest else ""]
    return ("-" if seconds < 0 else "+") + ("".join(parts) or "0s")
