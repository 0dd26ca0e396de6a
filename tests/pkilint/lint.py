"""Runs pkilint: reads lines of JSON [set:role, path of a certificate], writes the codes of the findings.

It runs with the Python of .venv-pkilint, which does not have pkigen.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

loader, certificate = import_module("pkilint.loader"), import_module("pkilint.pkix.certificate")
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
    name, _, role = against.partition(":")
    if name == "tls-br":
        kind = tls_types[TLS[role]]
        validator = container(
            serverauth.create_decoding_validators(), serverauth.create_validators(kind, None)
        )
        return validator, serverauth.create_serverauth_finding_filters(kind)
    profile = mail.ValidationLevel[LEVELS[role]], mail.Generation.STRICT
    return container(smime.create_decoding_validators(), smime.create_subscriber_validators(*profile)), ()


def findings(against: str, path: str) -> list[str]:
    """Return the codes of the errors and warnings about a certificate."""
    validator, exclusions = linter(against)
    results = validator.validate(loader.load_pem_certificate(Path(path).read_text(), path).root)
    if exclusions:
        results, _ = filters.filter_results(exclusions, results)
    described = (one.finding for result in results for one in result.finding_descriptions)
    return sorted({one.code for one in described if one.severity <= severity.WARNING})


for line in sys.stdin:
    sys.stdout.write(json.dumps(findings(*json.loads(line))) + "\n")
