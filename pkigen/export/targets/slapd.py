"""OpenLDAP, 2.5 or later, with GnuTLS."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target(
    "slapd.conf.j2", start="slapd -d 0 -f NAME.conf -h ldaps://127.0.0.1:636", tls_port=636, client_auth=True
)
def slapd(draft: Draft) -> None:
    """NAME.conf for each server certificate: an LDAP server that requires client certificates"""
    authenticating_servers(draft, {"NAME.conf": "slapd.conf.j2"})
