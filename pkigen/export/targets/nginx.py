"""nginx, 1.19 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import add_client_authentication
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.stapling import add_ocsp_responses
from pkigen.export.target import target


@target("nginx.conf.j2", start="nginx -p . -c nginx.conf", client_auth=True)
def nginx(draft: Draft) -> None:
    """nginx.conf: every certificate at one TLS port by SNI, and the CRL server"""
    endpoints = servers(draft)
    draft.www()
    draft.trust()
    if draft.given.client_auth:
        add_client_authentication(draft)
    responses = add_ocsp_responses(draft, endpoints, lambda server: f"ocsp/{server.name}.der")
    draft.render("nginx.conf", "nginx.conf.j2", servers=endpoints, responses=responses)
