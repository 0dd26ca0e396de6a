"""Maps URLs to the faults and OCSP responses of the manifest, and watches the manifest for changes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_HANDSHAKE = "tls"
_COARSE = 50_000_000
"""Nanoseconds within which two changes of a file could look like one."""


@dataclass(frozen=True, slots=True)
class FaultBehavior:
    """How a URL is answered wrong, and with what (model.Serving); which fault it is."""

    how: str
    argument: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class UrlMap:
    """By path below the server's root: what is answered wrong, and the files of OCSP answers.

    ``cases`` are the URLs of cases with a fault and of the authorities that were copied for them, each with
    the fault that it shows, or nothing. ``serving`` is what the profile says of the service as a whole.
    """

    wrong: Mapping[str, FaultBehavior] = field(default_factory=dict)
    answers: Mapping[str, Path] = field(default_factory=dict)
    cases: Mapping[str, str] = field(default_factory=dict)
    serving: tuple[Mapping[str, Any], ...] = ()


def url_map(folder: Path, manifest: Mapping[str, Any]) -> UrlMap:
    """The addresses of a manifest, also of one from before there were any.

    Those below another base URL than the environment's are nobody's here.
    """
    wrong, answers = dict[str, FaultBehavior](), dict[str, Path]()
    base = str(manifest["base_url"])
    cases = _of_copies(manifest, base)
    for case in manifest.get("cases", ()):
        fault = case.get("fault", {}).get("id", "")
        for serving in case.get("serving", ()):
            if serving["url"] != _HANDSHAKE and (path := _path(serving["url"], base)) is not None:
                wrong[path] = FaultBehavior(serving["how"], serving["argument"], fault)
                cases[path] = fault
        told = case.get("ocsp")
        if told is not None and (path := _path(told["url"], base)) is not None:
            answers[path] = folder / told["file"]
            cases[path] = fault
    return UrlMap(wrong, answers, cases, tuple(manifest.get("serving", ())))


def _of_copies(manifest: Mapping[str, Any], base: str) -> dict[str, str]:
    """The paths of what authorities publish that are some case's own; faults of CRLs show at their URLs."""
    found = dict[str, str]()
    for authority in manifest.get("authorities", ()):
        if "fault" in authority:
            fault, crl = authority["fault"]["id"], authority["crl"]
            shown = fault if fault.startswith("crl-") else ""
            urls = [(authority["ca_url"], "")]
            if crl is not None:
                urls += [(one["url"], shown) for one in (crl, *crl.get("parts", ()))]
            found |= {path: shown for url, shown in urls if (path := _path(url, base)) is not None}
    return found


def _path(url: str, base: str) -> str | None:
    return urlsplit(url).path if url.startswith(f"{base}/") else None


class ManifestWatcher:
    """An environment's manifest as it is at this moment, and its addresses: builds may change both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = str(folder / "manifest.json")
        self._seen: tuple[int, int, int] | None = None
        self._digest = b""
        self._held = UrlMap()
        self._manifest: Mapping[str, Any] = {}

    @property
    def now(self) -> UrlMap:
        """The addresses."""
        self._look()
        return self._held

    def manifest(self) -> Mapping[str, Any]:
        """The manifest; the same object as long as nothing changes."""
        self._look()
        return self._manifest

    def _look(self) -> None:
        """Read anew when the manifest is another file; while there is none, what it said last counts.

        One that is as young as the file system's clock is coarse is read again: another could follow it
        within the same tick.
        """
        try:
            status = os.stat(self._path)
            seen = status.st_mtime_ns, status.st_ino, status.st_size
            if seen == self._seen:
                return
            data = Path(self._path).read_bytes()
            if sha256(data).digest() != self._digest:
                self._manifest = json.loads(data)
                self._held = url_map(self._folder, self._manifest)
                self._digest = sha256(data).digest()
            self._seen = seen if time.time_ns() - status.st_mtime_ns > _COARSE else None
        except (OSError, ValueError):
            pass
