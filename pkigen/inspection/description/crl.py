"""Describes a CRL (RFC 5280, 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from pkigen.asn1 import names, oids
from pkigen.inspection.description import words
from pkigen.inspection.description.certificate import instant
from pkigen.inspection.description.extensions import add_extensions
from pkigen.inspection.description.sheet import DescriptionBuilder, Rendering, rendering
from pkigen.x509 import CertificateList, RevokedEntry

FIRST_ENTRIES = 20
_OF_ENTRY = ("serial", "at", "reason", "invalid_since", "certificate_issuer")
_SHOWN_EXTENSIONS = {oids.INVALIDITY_DATE, oids.CERTIFICATE_ISSUER}
_REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}


def add_crl(
    sheet: DescriptionBuilder, crl: CertificateList, now: datetime, signature: Rendering, *, every_entry: bool
) -> None:
    """Add all fields of the CRL; the data contains the first entries, or an iterator over ``every_entry``.

    ``signature`` is the result of the verification.
    """
    sheet.add("issuer", "issuer", lambda: rendering(names.text(crl.issuer) or "(empty)"))
    sheet.add("version", "version", lambda: words.count(crl.version))
    sheet.add("crl_number", "number", lambda: _number(crl))
    sheet.add("this_update", "this update", lambda: instant(crl.this_update))
    sheet.add("next_update", "next update", lambda: _next_update(crl))
    sheet.add("validity", "validity", lambda: _validity(crl, now))
    sheet.add("signature_algorithm", "signed with", lambda: _algorithm(crl))
    sheet.add("signature", "signature", lambda: signature)
    add_extensions(sheet, lambda: crl.extensions)
    sheet.add("entry_count", "entries", lambda: Rendering((f"{crl.count:,}",), crl.count))
    _add_entries(sheet, crl, every_entry=every_entry)
    sheet.add("sha256", "SHA-256", lambda: rendering(sha256(crl.der).hexdigest()))


def reason(entry: RevokedEntry) -> str:
    """Return the name of the reason code; "unspecified" if the entry has none."""
    return _REASONS.get(entry.reason) or f"unknown reason {words.number(entry.reason)}"


def _number(crl: CertificateList) -> Rendering:
    value = crl.number
    return Rendering(("none",), None) if value is None else rendering(words.number(value))


def _next_update(crl: CertificateList) -> Rendering:
    return Rendering(("none",), None) if crl.next_update is None else instant(crl.next_update)


def _validity(crl: CertificateList, now: datetime) -> Rendering:
    begins, ends = crl.this_update, crl.next_update
    if now < begins:
        return Rendering(
            (f"issued in the future: in {words.length(begins - now)}",), "not_yet_valid", alarm=True
        )
    if ends is None:
        return Rendering(("no end",), "valid")
    if now > ends:
        since = f"stale since {words.instant(ends)}, {words.length(now - ends)} ago"
        return Rendering((since,), "stale", alarm=True)
    return Rendering((f"fresh; stale in {words.length(ends - now)}",), "valid")


def _algorithm(crl: CertificateList) -> Rendering:
    outer = words.algorithm(crl.signature_algorithm)
    if crl.algorithms_agree:
        return outer
    return Rendering(
        (*outer.values, "the signed part of the CRL contains another algorithm"), outer.data, alarm=True
    )


def _add_entries(sheet: DescriptionBuilder, crl: CertificateList, *, every_entry: bool) -> None:
    if "entry_count" in sheet.malformed:
        sheet.data["entries"] = None
        return
    first = list(islice(all_entries(crl), FIRST_ENTRIES))
    sheet.data["entries"] = all_entries(crl) if every_entry else first
    lines = list(map(_line, first))
    if crl.count > FIRST_ENTRIES:
        lines.append(f"... and {crl.count - FIRST_ENTRIES:,} more; --json has them all")
    sheet.show("entries", "revoked certificates", *lines)


def all_entries(crl: CertificateList) -> Iterator[dict[str, Any]]:
    """Yield the data of each entry; a malformed entry does not hide the next ones."""
    entries = crl.entries()
    while True:
        try:
            yield _entry(next(entries))
        except StopIteration:
            return
        except ValueError as error:
            yield {**dict.fromkeys(_OF_ENTRY), "problem": str(error)}


def _entry(entry: RevokedEntry) -> dict[str, Any]:
    since = issuer = None
    for extension in entry.extensions:
        if extension.oid in _SHOWN_EXTENSIONS:
            since, issuer = entry.invalid_since, entry.certificate_issuer
            break
    return {
        "serial": words.hexadecimal(entry.serial),
        "at": words.iso(entry.at),
        "reason": reason(entry),
        "invalid_since": None if since is None else words.iso(since),
        "certificate_issuer": None if issuer is None else ", ".join(name.value for name in issuer),
        "problem": None,
    }


def _line(entry: dict[str, Any]) -> str:
    if entry["problem"]:
        return f"malformed: {entry['problem']}"
    since, issuer = entry["invalid_since"], entry["certificate_issuer"]
    line = f"{entry['serial']} {entry['at']} {entry['reason']}" + (
        f", invalid since {since}" if since else ""
    )
    return line + (f", and from here on of {issuer}" if issuer else "")
