"""Redis, 6 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target(
    "redis.conf.j2",
    "redis-stunnel.conf.j2",
    start="redis-server NAME.conf & stunnel NAME.stunnel.conf",
    tls_port=6380,
    client_auth=True,
)
def redis(draft: Draft) -> None:
    """NAME.conf for each server certificate, and stunnel in front, because Redis checks no CRLs"""
    authenticating_servers(
        draft, {"NAME.conf": "redis.conf.j2", "NAME.stunnel.conf": "redis-stunnel.conf.j2"}
    )
