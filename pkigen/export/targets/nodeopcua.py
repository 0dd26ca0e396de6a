"""node-opcua: the PKI directory of its certificate manager."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.pki_directories import Layout, add_pki_directories
from pkigen.export.target import target


@target(start="cp -r NAME/. PKI/")
def nodeopcua(draft: Draft) -> None:
    """the same with node-opcua's names: issuers, certificate.pem, private_key.pem"""
    add_pki_directories(draft, Layout("issuers", "certificate.pem", "private_key.pem"))
