"""Publishes until it is killed.

Also the environments that the kills are made on, and what must hold of them afterwards.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from pkigen.model import File
from pkigen.store import (
    Entry,
    Publication,
    Store,
    placement,
    schema,
    stage,
    staged_files,
    store,
)

AUTHORITY = "authorities/root"
PRUNED = "certificates/pruned"
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def publication(folder: Path, entity: str, generation: int) -> Publication:
    """Return an entity whose files all contain its generation."""
    name, text = entity.partition("/")[2], f"{generation}".encode()
    files = (File(f"{name}.crt", text), File(f"{name}.key", text, secret=True), File("chain.pem", text))
    loose = (File(f"www/ca/{name}.crt", text),) if entity == AUTHORITY else ()
    entry = Entry(
        id=entity, spec=f"{generation}", output="", issuers="", key_kind="ec-p256", key_source="fresh",
        spki="", serials=((AUTHORITY, _serial(entity, generation)),), not_before=0, not_after=1, record="{}",
    )  # fmt: skip
    return Publication(entry, stage(folder, files), loose)


def publish(opened: Store, entities: list[str], generation: int) -> None:
    """Publish one batch as a build does: serial numbers, files, directories, then a CRL."""
    opened.index.reserve((AUTHORITY, _serial(entity, generation), entity) for entity in entities)
    opened.publish([publication(opened.folder, entity, generation) for entity in entities])
    number = opened.index.next_crl_number(AUTHORITY)
    opened.write_loose("www/crl/root.crl", [f"{number}".encode()])


def torn(folder: Path, *, absent: bool = False) -> list[str]:
    """Return the entities whose files are not all of one generation, except ``absent`` ones."""
    torn_entities = []
    for entity in [*folder.glob("authorities/*"), *folder.glob("certificates/*")]:
        files = [entity / f"{entity.name}.crt", entity / f"{entity.name}.key", entity / "chain.pem"]
        texts = {path.read_text() if path.exists() else "absent" for path in files}
        if len(texts - {"altered"}) != 1 or "absent" in texts:
            torn_entities.append(f"{entity.name}: {sorted(texts)}")
    if not absent and not (folder / AUTHORITY).is_dir():
        torn_entities.append("root: gone")
    return torn_entities


def violations(opened: Store) -> list[str]:
    """Return the violated guarantees of a recovered environment: index, files, serials, CRL numbers."""
    folder, broken = opened.folder, torn(opened.folder)
    known = set()
    for entry in opened.index.entries():
        known.add(entry.id)
        damage = opened.damage(entry)
        if entry.id == PRUNED and len(damage) == len(entry.files):
            # Its directory was removed atomically; the next build that prunes removes it from the index.
            continue
        broken += [f"{d.path} is {d.kind}" for d in damage if (folder / d.path).read_text() != "altered"]
        if (folder / entry.files[0][0]).read_text() != entry.spec:
            broken.append(f"{entry.id} is not of the index's generation {entry.spec}")
        stolen = [(authority, serial, "somebody else") for authority, serial in entry.serials]
        if opened.index.reserve(stolen) != [pair[:2] for pair in stolen]:
            broken.append(f"{entry.id}'s serial could be used again")
    ids = {f"certificates/{path.name}" for path in folder.glob("certificates/*")}
    broken += [f"{entity} is not in the index" for entity in ids - known]
    crl = folder / "www/crl/root.crl"
    if crl.exists() and opened.index.next_crl_number(AUTHORITY) <= int(crl.read_text()):
        broken.append("a CRL number was given twice")
    broken += [f"{path} is left over" for path in (folder / ".pkigen/staging").iterdir()]
    return broken


def kill_before(point: int, *, exchanges: bool) -> None:
    """Kill this process right before its ``point``-th disk operation.

    Those are the changes of files' names, new files, each SQL statement, and the exchange of directories.
    """
    changes = count(1)

    def change() -> None:
        if next(changes) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CHANGES or (event == "open" and arguments[2] & os.O_CREAT):
            change()

    def exchanged(first: str, second: str) -> bool:
        change()
        return exchanges and staged_files.exchange(first, second)

    def connected(path: Path, *, write: bool) -> sqlite3.Connection:
        connection = schema.connect(path, write=write)
        connection.set_trace_callback(lambda _statement: change())
        return connection

    mock.patch.object(placement, "exchange", exchanged).start()
    mock.patch.object(store, "connect", connected).start()
    sys.addaudithook(audited)


def dies(work: Callable[[], None]) -> bool:
    """Return whether a forked child that runs ``work`` was killed; any other failure is an error."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def _serial(entity: str, generation: int) -> int:
    return int.from_bytes(entity.encode(), "big") * 1_000_000 + generation + 1


def publish_until_killed(folder: Path, output: int) -> NoReturn:
    """Publish one generation after the other; write ``open`` and each finished number to a file descriptor.

    For a forked child: it exits with 1 if anything but a signal ends it.
    """
    entities = [AUTHORITY, *(f"certificates/host-{number}" for number in range(12))]
    try:
        with Store.open(folder, write=True) as opened:
            first = opened.index.generation(AUTHORITY)
            os.write(output, b"open\n")
            for generation in count(first):
                publish(opened, entities, generation)
                os.write(output, f"{generation}\n".encode())
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(1)
