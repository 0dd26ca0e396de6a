"""Simulated appliances that use the certificates of an environment and connect to each other.

``startup`` starts a ``lab`` with its members; ``state`` stores files between runs; ``timing`` contains the
lab clock and the token that cancels waits. ``appliance`` contains an appliance, its upload check
(``appliance/upload.py``: the texts of refusals) and its sample uploads. ``connections`` contains the TLS
client, the scheduler and alert forwarding. ``web`` contains the console for people and the REST API for
programs. ``crl_server`` is the CRL server and the proxy in front of it.
``control`` lets other processes of the same user reach a running lab. ``scenario`` runs scenarios.
"""
