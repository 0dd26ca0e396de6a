"""Fake entities for tests of the store."""

from __future__ import annotations

from pathlib import Path

from pkigen.model import File
from pkigen.store import Entry, Publication, Store, stage


def publication(folder: Path, name: str, generation: int, *more: File) -> Publication:
    """Return an end entity whose three files contain its generation."""
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
    """Return the generations in each entity's files; more than one means a torn write."""
    generations_by_name = {}
    for entity in (folder / "certificates").iterdir():
        paths = [entity / f"{entity.name}.crt", entity / f"{entity.name}.key", entity / "chain.pem"]
        generations_by_name[entity.name] = {path.read_text() for path in paths}
    return generations_by_name
