"""Dovecot, 2.3."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target("dovecot.conf.j2", start="dovecot -F -c NAME.conf", tls_port=993, client_auth=True)
def dovecot(draft: Draft) -> None:
    """NAME.conf for each server certificate: an IMAP server that requires client certificates"""
    authenticating_servers(draft, {"NAME.conf": "dovecot.conf.j2"})
