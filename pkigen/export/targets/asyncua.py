"""asyncua (opcua-asyncio): PKI directories for its trust store, which reads CRLs with the suffix .der."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.pki_directories import Layout, add_pki_directories
from pkigen.export.target import target


@target(start="cp -r NAME/. PKI/")
def asyncua(draft: Draft) -> None:
    """the same for asyncua, which reads CRLs with the suffix .der"""
    add_pki_directories(draft, Layout(crl_suffix=".der"))
