"""Windows certificate stores, filled by a PowerShell script."""

from __future__ import annotations

from pkigen.export.draft import Draft
from pkigen.export.key_stores import add_stores, passphrase, trust_anchors
from pkigen.export.target import target


@target("import.ps1.j2", start="powershell -ExecutionPolicy Bypass -File import.ps1")
def windows(draft: Draft) -> None:
    """.pfx files, the trust anchors, and a PowerShell script that imports them"""
    draft.add("private/passphrase.txt", passphrase(draft).encode() + b"\n", secret=True)
    add_stores(draft, ".pfx", "server-2016")
    trusted = [draft.add(f"trust/{number}.cer", one) for number, one in enumerate(trust_anchors(draft), 1)]
    draft.render("import.ps1", "import.ps1.j2", names=draft.exported, trusted=trusted)
