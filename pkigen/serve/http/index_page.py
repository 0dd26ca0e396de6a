"""What the index page shows, gathered from the disk and the manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from pkigen.serve.http.file_cache import FileCache
from pkigen.serve.http.index_html import MOST_ROWS, Overview, Row
from pkigen.serve.http.metadata import PublishedMetadata
from pkigen.serve.http.published_files import LARGEST_WHOLE, walk

# What is read at most to say what the files of one page hold.
_MOST_OCTETS = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Site:
    """The environment behind the page; without a base URL it is wherever it is asked.

    ``manifest`` gives the manifest as it is now; ``tls_port`` is that of the TLS endpoints if there are any.
    """

    title: str
    base_url: str = ""
    manifest: Callable[[], Mapping[str, Any]] = dict
    tls_port: int | None = None


def overview(site: Site, www: Path, keeper: FileCache, request: Request, now: datetime) -> Overview:
    """The page that a request asks for by its number (``?page=2``); raises OSError."""
    here = f"{request.url.scheme}://{request.url.netloc}{urlsplit(site.base_url).path}"
    base_url = site.base_url or here
    files = list(walk(www))
    first = (_page(request.query_params.get("page", "1")) - 1) * MOST_ROWS
    rows = tuple(_rows(www, files[first : first + MOST_ROWS], keeper))
    ocsp = f"{base_url}/ocsp" if site.base_url else ""
    endpoints = tuple(_endpoints(site)) if site.tls_port is not None else ()
    return Overview(site.title, base_url, here, now, rows, first, len(files), ocsp, endpoints)


def _page(asked: str) -> int:
    """A page's number; what is none is the first."""
    return max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1


def _rows(www: Path, files: Sequence[tuple[str, os.stat_result]], keeper: FileCache) -> Iterator[Row]:
    left = _MOST_OCTETS
    for path, status in files:
        published = datetime.fromtimestamp(int(status.st_mtime), UTC)
        held, looked_at = None, False
        if status.st_size <= min(LARGEST_WHOLE, left):
            left -= status.st_size
            held, looked_at = _contents(www / path, keeper), True
        yield Row(path, status.st_size, published, looked_at, held)


def _contents(path: Path, keeper: FileCache) -> PublishedMetadata | None:
    try:
        document = keeper.read(path).document
    except OSError:  # it was there a moment ago, or may not be read: asking for it tells more
        return None
    if document.file is not None:  # it has grown since
        document.file.close()
    return document.metadata


def _endpoints(site: Site) -> Iterator[tuple[str, str]]:
    """A URL for each host name that is no address, with its case; of two the first counts."""
    seen = set[str]()
    for case in site.manifest().get("cases", ()):
        fault = f" ({case['fault']['id']})" if case.get("fault") else ""
        expected = f"{case['name']}: {case['verdict']['expected']}{fault}"
        for host in case["hosts"]:
            if host not in seen and _is_name(host):
                seen.add(host)
                # Any label stands in for a wildcard.
                name = f"any{host[1:]}" if host.startswith("*.") else host
                yield f"https://{name}:{site.tls_port}/", expected


def _is_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return False
