"""rsyslog, 8.2102 or later, with its GnuTLS driver."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target("rsyslog.conf.j2", start="rsyslogd -n -C -f NAME.conf -i NAME.pid", tls_port=6514, client_auth=True)
def rsyslog(draft: Draft) -> None:
    """NAME.conf for each server certificate: a syslog receiver that requires client certificates"""
    authenticating_servers(draft, {"NAME.conf": "rsyslog.conf.j2"})
