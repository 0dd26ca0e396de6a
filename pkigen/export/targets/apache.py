"""The Apache HTTP Server, 2.4, with mod_ssl."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target


@target("httpd.conf.j2", start='apachectl -d "$PWD" -f httpd.conf -D FOREGROUND')
def apache(draft: Draft) -> None:
    """httpd.conf: every certificate at one TLS port by SNI, and the CRL server"""
    endpoints = servers(draft)
    draft.www()
    draft.trust()
    draft.render("httpd.conf", "httpd.conf.j2", servers=endpoints)
