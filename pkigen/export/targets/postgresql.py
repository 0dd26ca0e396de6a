"""PostgreSQL, 12 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target(
    "postgresql.conf.j2",
    "pg_hba.conf.j2",
    start="postgres -D data --config-file=NAME.conf",
    tls_port=5432,
    client_auth=True,
)
def postgresql(draft: Draft) -> None:
    """NAME.conf for each server certificate: a database that requires client certificates"""
    authenticating_servers(draft, {"NAME.conf": "postgresql.conf.j2"})
    draft.render("pg_hba.conf", "pg_hba.conf.j2")
