"""MariaDB, 10.5 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target(
    "mariadb.cnf.j2",
    "accounts.sql.j2",
    start='mariadbd --defaults-file=NAME.cnf --datadir="$PWD/data"',
    tls_port=3306,
    client_auth=True,
)
def mariadb(draft: Draft) -> None:
    """NAME.cnf for each server certificate: a database that requires client certificates"""
    authenticating_servers(draft, {"NAME.cnf": "mariadb.cnf.j2"})
    draft.render("accounts.sql", "accounts.sql.j2")
