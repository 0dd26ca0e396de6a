"""Runs pkilint: reads lines of JSON [set:role, path of a file], writes the codes of the findings.

It runs with the Python of .venv-pkilint, which does not have pkigen.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

loader, pkix = import_module("pkilint.loader"), import_module("pkilint.pkix")
certificate, crl, ocsp, name, extension = (
    import_module(f"pkilint.pkix.{part}") for part in ("certificate", "crl", "ocsp", "name", "extension")
)
severity = import_module("pkilint.validation").ValidationFindingSeverity
filters = import_module("pkilint.finding_filter")
serverauth, smime = import_module("pkilint.cabf.serverauth"), import_module("pkilint.cabf.smime")
tls_types = import_module("pkilint.cabf.serverauth.serverauth_constants").CertificateType
mail = import_module("pkilint.cabf.smime.smime_constants")

TLS = {
    "dv": "DV_FINAL_CERTIFICATE",
    "iv": "IV_FINAL_CERTIFICATE",
    "ov": "OV_FINAL_CERTIFICATE",
    "ev": "EV_FINAL_CERTIFICATE",
    "subordinate-ca": "INTERNAL_UNCONSTRAINED_TLS_CA",
    "root-ca": "ROOT_CA",
}
LEVELS = {
    "mailbox": "MAILBOX",
    "organization": "ORGANIZATION",
    "sponsor": "SPONSORED",
    "individual": "INDIVIDUAL",
}


@cache
def linter(against: str) -> tuple[Any, Any]:
    """Return pkilint's validator and filters for a role of a set."""
    container = certificate.create_pkix_certificate_validator_container
    set_name, _, role = against.partition(":")
    if set_name == "rfc5280":
        return pkix_linter(role), ()
    if set_name == "tls-br":
        kind = tls_types[TLS[role]]
        validator = container(
            serverauth.create_decoding_validators(), serverauth.create_validators(kind, None)
        )
        return validator, serverauth.create_serverauth_finding_filters(kind)
    profile = mail.ValidationLevel[LEVELS[role]], mail.Generation.STRICT
    return container(smime.create_decoding_validators(), smime.create_subscriber_validators(*profile)), ()


def pkix_linter(role: str) -> Any:
    """Return pkilint's validator of RFC 5280 certificates or CRLs, or of RFC 6960 responses."""
    if role == "certificate":
        return certificate.create_pkix_certificate_validator_container(
            certificate.create_decoding_validators(
                name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
            ),
            [_part(certificate, part) for part in ("issuer", "validity", "subject", "extensions", "spki")],
        )
    decoders = [
        pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
        pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
    ]
    if role == "crl":
        parts = [_part(crl, part) for part in ("issuer", "validity", "extensions")]
        return crl.create_pkix_crl_validator_container(decoders, parts)
    return ocsp.create_pkix_ocsp_response_validator_container([ocsp.create_response_decoder(), *decoders], [])


def _part(module: Any, part: str) -> Any:
    create = getattr(module, f"create_{part}_validator_container")
    return create() if part == "validity" and module is certificate else create([])


def load(role: str, path: str) -> Any:
    """Load a file; its form depends on the role."""
    content = Path(path).read_bytes()
    if role == "crl":
        return loader.load_der_crl(content, path)
    if role == "ocsp":
        return loader.load_der_ocsp_response(content, path)
    return loader.load_pem_certificate(content.decode(errors="replace"), path)


def findings(against: str, path: str) -> list[str]:
    """Return the codes of the errors and warnings about a file; ``unreadable`` if pkilint cannot load it."""
    validator, exclusions = linter(against)
    try:
        document = load(against.partition(":")[2], path)
        results = validator.validate(document.root)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ["unreadable"]
    if exclusions:
        results, _ = filters.filter_results(exclusions, results)
    described = (one.finding for result in results for one in result.finding_descriptions)
    return sorted({one.code for one in described if one.severity <= severity.WARNING})


for line in sys.stdin:
    sys.stdout.write(json.dumps(findings(*json.loads(line))) + "\n")
