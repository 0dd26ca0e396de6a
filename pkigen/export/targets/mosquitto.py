"""Eclipse Mosquitto, 2.0 or later."""

from __future__ import annotations

from pkigen.export.client_certificates import authenticating_servers
from pkigen.export.draft import Draft
from pkigen.export.target import target


@target("mosquitto-server.conf.j2", start="mosquitto -c NAME.conf", tls_port=8883, client_auth=True)
def mosquitto(draft: Draft) -> None:
    """NAME.conf for each server certificate: an MQTT broker that requires client certificates"""
    authenticating_servers(draft, {"NAME.conf": "mosquitto-server.conf.j2"})
