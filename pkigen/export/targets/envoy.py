"""Envoy, API version 3."""

from __future__ import annotations

from pkigen.export.client_certificates import add_client_authentication
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target
from pkigen.export.tls_check import loads_in_strict_parsers

_LOADS = loads_in_strict_parsers("ec-p256", "ec-p384", "ec-p521", least_rsa=2048)
"""Envoy rejects RSA keys below 2048 bits, and elliptic curves other than those of NIST."""


@target("envoy.yaml.j2", start="envoy -c envoy.yaml", client_auth=True)
def envoy(draft: Draft) -> None:
    """envoy.yaml: every certificate at one TLS port by SNI, and the CRL server"""
    endpoints = servers(draft, _LOADS)
    files = draft.www()
    draft.trust()
    if draft.given.client_auth:
        add_client_authentication(draft)
    largest = max((one.size for one in files), default=0)
    draft.render("envoy.yaml", "envoy.yaml.j2", servers=endpoints, files=files, largest=largest)
