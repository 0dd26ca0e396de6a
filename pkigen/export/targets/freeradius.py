"""FreeRADIUS, 3.2."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target("radiusd.conf.j2", start="freeradius -X -d . -n NAME", tls_port=1812, client_auth=True)
def freeradius(draft: Draft) -> None:
    """NAME.conf for each server certificate: a RADIUS server for EAP-TLS"""
    authenticating_servers(draft, {"NAME.conf": "radiusd.conf.j2"})
