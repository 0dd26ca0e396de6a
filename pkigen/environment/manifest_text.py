"""The text of manifest.json: one line for each authority and each case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from pkigen.store import Store

PATH = "manifest.json"
_LISTS = ("authorities", "cases")


def as_json(value: object) -> str:
    """One line, as compact as it can be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def body(header: Mapping[str, Any], authorities: Iterable[str], cases: Iterable[str]) -> Iterator[str]:
    """All but the clock, in pieces; authorities and cases are JSON already."""
    yield as_json(header)[1:-1]
    yield ',"authorities":['
    yield from _lines(authorities)
    yield '\n],"cases":['
    yield from _lines(cases)
    yield "\n]}\n"


def write_body(store: Store, clock: str, pieces: Callable[[], Iterator[str]]) -> None:
    """Write the manifest; it stays untouched where only its clock would differ."""
    digest = sha256()
    for piece in pieces():
        digest.update(piece.encode())
    path = store.folder / PATH
    held = store.index.meta("manifest")
    if held is not None and path.is_file():
        written, content = held.split(":")
        if content == digest.hexdigest() and written == sha256(path.read_bytes()).hexdigest():
            return
    written = store.write_loose(PATH, (piece.encode() for piece in _with_clock(clock, pieces())))
    store.index.set_meta("manifest", f"{written}:{digest.hexdigest()}")


def write(store: Store, manifest: Mapping[str, Any]) -> None:
    """Write a manifest that was read."""
    header = {key: value for key, value in manifest.items() if key not in (*_LISTS, "clock")}
    authorities, cases = ([as_json(one) for one in manifest[name]] for name in _LISTS)
    write_body(store, manifest["clock"], lambda: body(header, authorities, cases))


def _with_clock(clock: str, pieces: Iterable[str]) -> Iterator[str]:
    yield as_json({"clock": clock})[:-1] + ","
    yield from pieces


def _lines(records: Iterable[str]) -> Iterator[str]:
    separator = "\n"
    for record in records:
        yield separator + record
        separator = ",\n"
