"""Windows: its certificate stores, filled by PowerShell."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.material import Material, held
from pkigen.export.stores import anchors, passphrase, store
from pkigen.export.target import target


@target("import.ps1.j2", start="powershell -ExecutionPolicy Bypass -File import.ps1")
def windows(draft: Draft) -> None:
    """.pfx files, the trust anchors, and a PowerShell script that imports them"""
    words, stores = passphrase(draft), dict[str, bytes]()

    def fits(found: Material) -> None:
        stores[found.case.name] = store(draft, found)

    for found in held(draft, fits):
        name = found.case.name
        draft.add(f"private/{name}.pfx", stores[name], secret=True)
        draft.exported.append(name)
    trusted = [draft.add(f"trust/{n}.cer", one) for n, one in enumerate(anchors(draft), 1)]
    draft.add("private/passphrase.txt", words.encode() + b"\n", secret=True)
    draft.render("import.ps1", "import.ps1.j2", names=draft.exported, trusted=trusted)
