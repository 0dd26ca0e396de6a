"""stunnel, 5.50 or later."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target


@target("stunnel.conf.j2", start="stunnel stunnel.conf")
def stunnel(draft: Draft) -> None:
    """stunnel.conf: TLS by SNI in front of `pkigen serve`; stunnel itself serves no CRLs"""
    endpoints = servers(draft)
    draft.trust()
    draft.render("stunnel.conf", "stunnel.conf.j2", servers=endpoints)
