"""A certification request in words (RFC 2986)."""

from __future__ import annotations

from pkigen.asn1 import names
from pkigen.inspection.description import words
from pkigen.inspection.description.extensions import add_extensions
from pkigen.inspection.description.sheet import DescriptionBuilder, Rendering, rendering
from pkigen.keys.verifying import Verdict, verdict
from pkigen.x509 import CertificationRequest


def add_request(sheet: DescriptionBuilder, request: CertificationRequest) -> None:
    """What the request asks for, and whether its key signed it."""
    sheet.add("subject", "subject", lambda: rendering(names.text(request.subject) or "(empty)"))
    sheet.add("public_key", "public key", lambda: words.public_key(request.public_key))
    sheet.add("signature_algorithm", "signed with", lambda: words.algorithm(request.signature_algorithm))
    sheet.add("signature", "signature", lambda: _signature(request))
    add_extensions(sheet, lambda: request.extensions)
    sheet.add("spki_sha256", "key pin", lambda: words.pin(request.subject_public_key_info))


def _signature(request: CertificationRequest) -> Rendering:
    found = verdict(request, request.subject_public_key_info)
    said = f"{found.value} with the request's own key"
    data = {Verdict.GOOD: "good", Verdict.BAD: "bad", Verdict.UNKNOWN: "unknown"}[found]
    return Rendering((said,), data, alarm=found is Verdict.BAD)
