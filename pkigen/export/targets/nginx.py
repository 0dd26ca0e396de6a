"""nginx, 1.19 or later."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target


@target("nginx.conf.j2", start="nginx -p . -c nginx.conf")
def nginx(draft: Draft) -> None:
    """nginx.conf: every certificate at one TLS port by SNI, and the CRL server"""
    endpoints = servers(draft)
    draft.www()
    draft.trust()
    draft.render("nginx.conf", "nginx.conf.j2", servers=endpoints)
