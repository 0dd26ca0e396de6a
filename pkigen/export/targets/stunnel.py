"""stunnel, 5.50 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import add_client_authentication
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target


@target("stunnel.conf.j2", start="stunnel stunnel.conf", client_auth=True)
def stunnel(draft: Draft) -> None:
    """stunnel.conf: TLS by SNI in front of `pkigen serve`; stunnel itself serves no CRLs"""
    endpoints = servers(draft)
    draft.trust()
    if draft.given.client_auth:
        add_client_authentication(draft)
    if any(server.must_staple for server in endpoints):
        draft.notes.append("Some certificates require OCSP stapling, which stunnel does not support.")
    draft.render("stunnel.conf", "stunnel.conf.j2", servers=endpoints)
