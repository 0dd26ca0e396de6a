"""Caddy, version 2."""

from __future__ import annotations

from pkigen.export.client_certificates import add_client_authentication, revoked_serial_numbers
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target
from pkigen.export.tls_check import loads_in_strict_parsers

_LOADS = loads_in_strict_parsers("ec-p256", "ec-p384", "ec-p521", "ed25519", least_rsa=512, in_go=True)


@target("Caddyfile.j2", start="caddy run --config Caddyfile", client_auth=True)
def caddy(draft: Draft) -> None:
    """Caddyfile: every certificate at one TLS port by SNI, and the CRL server"""
    endpoints = servers(draft, _LOADS)
    draft.www()
    draft.trust()
    if draft.given.client_auth:
        add_client_authentication(draft)
    revoked = revoked_serial_numbers(draft)
    draft.render("Caddyfile", "Caddyfile.j2", servers=endpoints, revoked=revoked)
