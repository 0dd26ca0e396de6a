"""What the manifest says of URLs: which a server answers wrong and how, where OCSP answers are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_HANDSHAKE = "tls"


@dataclass(frozen=True, slots=True)
class Wrong:
    """How a URL is answered wrong, and with what (model.Serving)."""

    how: str
    argument: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """By path below the server's root: what is answered wrong, and the files of OCSP answers."""

    wrong: Mapping[str, Wrong] = field(default_factory=dict)
    answers: Mapping[str, Path] = field(default_factory=dict)


def addresses(folder: Path, manifest: Mapping[str, Any]) -> Addresses:
    """The addresses of a manifest, also of one from before there were any.

    Those below another base URL than the environment's are nobody's here.
    """
    wrong, answers = dict[str, Wrong](), dict[str, Path]()
    base = str(manifest["base_url"])
    for case in manifest.get("cases", ()):
        for serving in case.get("serving", ()):
            if serving["url"] != _HANDSHAKE and (path := _path(serving["url"], base)) is not None:
                wrong[path] = Wrong(serving["how"], serving["argument"])
        told = case.get("ocsp")
        if told is not None and (path := _path(told["url"], base)) is not None:
            answers[path] = folder / told["file"]
    return Addresses(wrong, answers)


def _path(url: str, base: str) -> str | None:
    return urlsplit(url).path if url.startswith(f"{base}/") else None


class Watched:
    """An environment's manifest as it is at this moment, and its addresses: builds may change both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._held = Addresses()
        self._manifest: Mapping[str, Any] = {}

    @property
    def now(self) -> Addresses:
        """The addresses."""
        self._look()
        return self._held

    def manifest(self) -> Mapping[str, Any]:
        """The manifest; the same object as long as nothing changes."""
        self._look()
        return self._manifest

    def _look(self) -> None:
        """Read anew when the manifest is another file; while there is none, what it said last counts."""
        path = self._folder / "manifest.json"
        try:
            status = path.stat()
            seen = status.st_mtime_ns, status.st_ino
            if seen != self._seen:
                self._manifest = json.loads(path.read_bytes())
                self._held = addresses(self._folder, self._manifest)
                self._seen = seen
        except (OSError, ValueError):
            pass
