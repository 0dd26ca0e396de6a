"""RabbitMQ, 3.10 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers, certificates
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.target import target
from pkigen.formats import pem


@target(
    "rabbitmq.config.j2",
    start="RABBITMQ_ADVANCED_CONFIG_FILE=$PWD/NAME.config rabbitmq-server",
    tls_port=5671,
    client_auth=True,
)
def rabbitmq(draft: Draft) -> None:
    """NAME.config for each server certificate: an AMQP broker that requires client certificates"""
    # Erlang finds the issuer of a CRL only among the CA certificates of the server.
    environment = draft.given.environment
    paths = [environment.folder / one.files["certificate"] for one in environment.contents.authorities]
    ders = dict.fromkeys(certificates(draft.given.anchors + b"".join(map(read_bytes, paths))))
    draft.add("cas.pem", b"".join(map(pem.certificate, ders)))
    authenticating_servers(draft, {"NAME.config": "rabbitmq.config.j2"})
