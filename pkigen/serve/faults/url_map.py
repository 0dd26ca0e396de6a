"""Maps URLs to the faults and OCSP responses of the manifest, and watches the manifest for changes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pkigen.environment.environment import parse_manifest
from pkigen.errors import InputError

_HANDSHAKE = "tls"
_COARSE = 50_000_000
"""Nanoseconds within which two changes of a file could have the same time."""


@dataclass(frozen=True, slots=True)
class FaultBehavior:
    """The faulty response of a URL (model.Serving), and the ID of the fault."""

    how: str
    argument: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class UrlMap:
    """Faulty responses and files of OCSP responses, by URL path.

    ``cases`` contains the URLs of cases with a fault and of the copied authorities, each with the ID of the
    visible fault or "". ``serving`` contains the faults of the whole service in the profile.
    """

    wrong: Mapping[str, FaultBehavior] = field(default_factory=dict)
    answers: Mapping[str, Path] = field(default_factory=dict)
    cases: Mapping[str, str] = field(default_factory=dict)
    serving: tuple[Mapping[str, Any], ...] = ()


def url_map(folder: Path, manifest: Mapping[str, Any]) -> UrlMap:
    """Return the URL map of a manifest; URLs outside the base URL are left out."""
    wrong, answers = dict[str, FaultBehavior](), dict[str, Path]()
    base = str(manifest["base_url"])
    cases = _of_copies(manifest, base)
    for case in manifest.get("cases", ()):
        fault = case.get("fault", {}).get("id", "")
        for serving in case.get("serving", ()):
            if serving["url"] != _HANDSHAKE and (path := _path(serving["url"], base)) is not None:
                wrong[path] = FaultBehavior(serving["how"], serving["argument"], fault)
                cases[path] = fault
        ocsp = case.get("ocsp")
        if ocsp is not None and (path := _path(ocsp["url"], base)) is not None:
            answers[path] = folder / ocsp["file"]
            cases[path] = fault
    return UrlMap(wrong, answers, cases, tuple(manifest.get("serving", ())))


def _of_copies(manifest: Mapping[str, Any], base: str) -> dict[str, str]:
    """Return the URL paths of copied authorities; faults of CRLs are visible at the CRL URLs."""
    paths = dict[str, str]()
    for authority in manifest.get("authorities", ()):
        if "fault" in authority:
            fault, crl = authority["fault"]["id"], authority["crl"]
            visible_fault = fault if fault.startswith("crl-") else ""
            urls = [(authority["ca_url"], "")]
            if crl is not None:
                urls += [(one["url"], visible_fault) for one in (crl, *crl.get("parts", ()))]
            paths |= {
                path: visible_fault for url, visible_fault in urls if (path := _path(url, base)) is not None
            }
    return paths


def _path(url: str, base: str) -> str | None:
    return urlsplit(url).path if url.startswith(f"{base}/") else None


class ManifestWatcher:
    """Watches the manifest of an environment, which a build may change, and its URL map."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = str(folder / "manifest.json")
        self._seen: tuple[int, int, int] | None = None
        self._digest = b""
        self._url_map = UrlMap()
        self._manifest: Mapping[str, Any] = {}

    @property
    def now(self) -> UrlMap:
        """The current URL map."""
        self._look()
        return self._url_map

    def manifest(self) -> Mapping[str, Any]:
        """Return the current manifest; the same object while it does not change."""
        self._look()
        return self._manifest

    def _look(self) -> None:
        """Read the manifest again if the file has changed; if it cannot be used, the last one applies.

        A file younger than the resolution of the file system's clock is read again, because a second change
        within the same tick would be invisible.
        """
        try:
            status = os.stat(self._path)
            seen = status.st_mtime_ns, status.st_ino, status.st_size
            if seen == self._seen:
                return
            data = Path(self._path).read_bytes()
            if sha256(data).digest() != self._digest:
                self._manifest = parse_manifest(self._folder, data)
                self._url_map = url_map(self._folder, self._manifest)
                self._digest = sha256(data).digest()
            self._seen = seen if time.time_ns() - status.st_mtime_ns > _COARSE else None
        except (OSError, InputError):
            pass
