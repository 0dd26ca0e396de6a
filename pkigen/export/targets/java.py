"""Java key stores and a trust store, as PKCS#12, Java's default format since release 9."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.key_stores import add_stores, passphrase, trust_anchors
from pkigen.export.target import target


@target("client.args.j2", start="java @private/client.args ...")
def java(draft: Draft) -> None:
    """PKCS#12 key stores, a trust store, and Java options to use them"""
    from pkigen.formats.pkcs12 import trust_store

    given, words = draft.given, passphrase(draft)
    add_stores(draft, ".p12")
    draft.add(
        "truststore.p12", trust_store(trust_anchors(draft), given.environment.name, given.new_passphrase)
    )
    draft.render("private/client.args", "client.args.j2", secret=True, passphrase=words)
