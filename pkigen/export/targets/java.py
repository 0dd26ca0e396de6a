"""Java: key stores and a trust store, as PKCS#12, which is Java's own format since release 9."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.material import Material, held
from pkigen.export.stores import anchors, passphrase, store
from pkigen.export.target import target


@target("client.args.j2", start="java @private/client.args ...")
def java(draft: Draft) -> None:
    """PKCS#12 key stores, a trust store, and the options by which Java uses it"""
    from pkigen.formats.containers import trust_store

    words, stores = passphrase(draft), dict[str, bytes]()

    def fits(found: Material) -> None:
        stores[found.case.name] = store(draft, found)

    for found in held(draft, fits):
        name = found.case.name
        draft.add(f"private/{name}.p12", stores[name], secret=True)
        draft.exported.append(name)
    given = draft.given
    draft.add("truststore.p12", trust_store(anchors(draft), given.environment.name, given.new_passphrase))
    draft.render("private/client.args", "client.args.j2", secret=True, passphrase=words)
