"""Describes a certificate (RFC 5280, 4.1)."""

from __future__ import annotations

from datetime import datetime

from pkigen.asn1 import names
from pkigen.clock import LAST
from pkigen.inspection.description import words
from pkigen.inspection.description.extensions import add_extensions
from pkigen.inspection.description.sheet import DescriptionBuilder, Rendering, rendering
from pkigen.keys.verify import Verdict, verdict
from pkigen.x509 import Certificate


def add_certificate(sheet: DescriptionBuilder, certificate: Certificate, now: datetime) -> None:
    """Add all fields of the certificate, and the state of its validity at ``now`` (UTC)."""
    sheet.add("subject", "subject", lambda: rendering(names.text(certificate.subject) or "(empty)"))
    sheet.add("issuer", "issuer", lambda: rendering(names.text(certificate.issuer) or "(empty)"))
    sheet.add("self_signed", "self-signed", lambda: _self_signed(certificate))
    sheet.add("serial", "serial", lambda: rendering(words.hexadecimal(certificate.serial)))
    sheet.add("version", "version", lambda: words.count(certificate.version))
    sheet.add("not_before", "valid from", lambda: instant(certificate.not_before))
    sheet.add("not_after", "valid until", lambda: instant(certificate.not_after))
    sheet.add("validity", "validity", lambda: _validity(certificate, now))
    sheet.add("public_key", "public key", lambda: words.public_key(certificate.public_key))
    sheet.add("signature_algorithm", "signed with", lambda: _algorithm(certificate))
    add_extensions(sheet, lambda: certificate.extensions)
    if certificate.has_unique_identifiers:
        sheet.show("unique_identifiers", "identifiers", "an issuer or subject unique identifier")
    sheet.add("sha256", "SHA-256", lambda: rendering(certificate.fingerprint().hex()))
    sheet.add("sha1", "SHA-1", lambda: rendering(certificate.fingerprint("sha1").hex()))
    sheet.add("spki_sha256", "key pin", lambda: words.pin(certificate.subject_public_key_info))


def instant(value: datetime) -> Rendering:
    """Return a time as a field."""
    return rendering(words.instant(value), words.iso(value))


def is_self_signed(certificate: Certificate) -> bool:
    """Return whether a certificate is signed with its own key."""
    return certificate.is_self_issued and (
        verdict(certificate, certificate.subject_public_key_info) is Verdict.GOOD
    )


def _self_signed(certificate: Certificate) -> Rendering:
    if not certificate.is_self_issued:
        return rendering("no", data=False)
    result = verdict(certificate, certificate.subject_public_key_info)
    if result is Verdict.GOOD:
        return rendering("yes, and the signature verifies", data=True)
    if result is Verdict.BAD:
        text = "no: subject and issuer are the same, but the certificate is signed with another key"
        return Rendering((text,), data=False, alarm=True)
    return Rendering((f"subject and issuer are the same; the signature {result.value}",), None)


def _algorithm(certificate: Certificate) -> Rendering:
    outer = words.algorithm(certificate.signature_algorithm)
    if certificate.algorithms_agree:
        return outer
    lines = (*outer.values, "the signed part of the certificate contains another algorithm")
    return Rendering(lines, outer.data, alarm=True)


def _validity(certificate: Certificate, now: datetime) -> Rendering:
    begins, ends = certificate.not_before, certificate.not_after
    whole = f"{words.length(ends - begins)} in all"
    if ends < begins:
        return Rendering(("notAfter is before notBefore",), "inverted", alarm=True)
    if now > ends:
        return Rendering((f"ended {words.length(now - ends)} ago; {whole}",), "expired", alarm=True)
    if now < begins:
        return Rendering((f"begins in {words.length(begins - now)}; {whole}",), "not_yet_valid", alarm=True)
    if ends == LAST:
        return Rendering(("no well-defined end (RFC 5280, 4.1.2.5)",), "valid")
    return Rendering((f"ends in {words.length(ends - now)}; {whole}",), "valid")
