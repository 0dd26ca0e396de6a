"""The Apache HTTP Server, 2.4, with mod_ssl."""

from __future__ import annotations

from pkigen.export.client_certificates import add_client_authentication
from pkigen.export.draft import Draft
from pkigen.export.server_certificates import servers
from pkigen.export.target import target


@target("httpd.conf.j2", start='apachectl -d "$PWD" -f httpd.conf -D FOREGROUND', client_auth=True)
def apache(draft: Draft) -> None:
    """httpd.conf: every certificate at one TLS port by SNI, and the CRL server"""
    endpoints = servers(draft)
    draft.www()
    draft.trust()
    if draft.given.client_auth:
        add_client_authentication(draft)
    if any(server.must_staple for server in endpoints):
        draft.notes.append(
            "Some certificates require OCSP stapling. Apache downloads the responses from the responder of"
            " the certificates: run `pkigen serve` at the base URL, and export with another --port."
        )
    draft.render("httpd.conf", "httpd.conf.j2", servers=endpoints)
