"""Entities to publish, as far as the store can tell."""

from __future__ import annotations

from pathlib import Path

from pkigen.model import File
from pkigen.store import Entry, Publication, Store, stage


def publication(folder: Path, name: str, generation: int, *more: File) -> Publication:
    """An end entity whose three files all say its generation."""
    entry = Entry(
        id=f"certificates/{name}", spec=f"{generation}", output="", issuers="", key_kind="ec-p256",
        key_source="fresh", spki="", serials=(("authorities/root", generation + 1),), not_before=0,
        not_after=1, record="{}",
    )  # fmt: skip
    text = f"{generation}".encode()
    files = (
        File(f"{name}.crt", text),
        File(f"{name}.key", text, secret=True),
        File("chain.pem", text),
        *more,
    )
    return Publication(entry, stage(folder, files))


def publish(folder: Path, *names: str, generation: int = 0) -> None:
    """Publish some entities in one batch."""
    with Store.open(folder, write=True) as store:
        store.publish([publication(folder, name, generation) for name in names])


def generations(folder: Path) -> dict[str, set[str]]:
    """What each entity's files say: more than one generation is a torn one."""
    found = {}
    for entity in (folder / "certificates").iterdir():
        wanted = [entity / f"{entity.name}.crt", entity / f"{entity.name}.key", entity / "chain.pem"]
        found[entity.name] = {path.read_text() for path in wanted}
    return found
