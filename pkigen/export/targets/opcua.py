"""OPC UA: PKI directories with the names of OPC 10000-12, Annex F."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.pki_directories import Layout, add_pki_directories
from pkigen.export.target import target


@target(start="cp -r NAME/. PKI/")
def opcua(draft: Draft) -> None:
    """a PKI directory for each OPC UA application: own, trusted, issuer, with CRLs"""
    add_pki_directories(draft, Layout())
