"""The index page: every URL of the stub, for people."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request

from pkigen.serve.http.metadata import PublishedMetadata
from pkigen.serve.http.published_files import MAX_WHOLE_BYTES, read_file, walk
from pkigen.serve.tls.expected import expected_over_tls

if TYPE_CHECKING:
    from jinja2 import Template

MOST_ROWS = 250
"""Files on one page."""
_MOST_ENDPOINTS = 50
# Maximum number of bytes that are read for the metadata of one page's files.
_MAX_READ_BYTES = 64 * 1024 * 1024
_KINDS = {".crl": "CRL", ".crt": "certificate", ".cer": "certificate"}


@dataclass(frozen=True, slots=True)
class Site:
    """The environment that the page describes; without a base URL, URLs begin with the server's address.

    ``manifest`` returns the current manifest; ``tls_port`` is that of the TLS endpoints if there are any.
    """

    title: str
    base_url: str = ""
    manifest: Callable[[], Mapping[str, Any]] = dict
    tls_port: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A published file; ``path`` is the quoted path below ``www/``.

    ``is_malformed`` means that the contents do not match the suffix, ``number`` is that of a CRL.
    """

    path: str
    kind: str
    size: int
    published: datetime
    is_malformed: bool
    number: str
    metadata: PublishedMetadata | None


def index_page(site: Site, www: Path, request: Request, now: datetime) -> bytes:
    """Return the HTML document for a request (``?page=2``); raises OSError."""
    here = f"{request.url.scheme}://{request.url.netloc}{urlsplit(site.base_url).path}"
    base_url = site.base_url or here
    files = list(walk(www))
    page = _page_number(request.query_params.get("page", "1"))
    first = (page - 1) * MOST_ROWS
    document = _template().render(
        title=site.title,
        base_url=base_url,
        here=here,
        now=now,
        rows=list(_rows(www, files[first : first + MOST_ROWS])),
        page=page,
        first=first,
        total=len(files),
        ocsp=f"{base_url}/ocsp" if site.base_url else "",
        endpoints=list(_endpoints(site)) if site.tls_port is not None else [],
        most_endpoints=_MOST_ENDPOINTS,
    )
    # File names need not be UTF-8.
    return document.encode(errors="replace")


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("index.html")


def _page_number(text: str) -> int:
    """Parse a page number; anything else means the first page."""
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _rows(www: Path, files: Sequence[tuple[str, os.stat_result]]) -> Iterator[Row]:
    remaining = _MAX_READ_BYTES
    for path, status in files:
        metadata, is_read = None, False
        if status.st_size <= min(MAX_WHOLE_BYTES, remaining):
            remaining -= status.st_size
            metadata, is_read = _metadata(www / path), True
        kind = _KINDS.get(PurePosixPath(path).suffix, "")
        yield Row(
            quote(path, errors="surrogateescape"),
            kind,
            status.st_size,
            datetime.fromtimestamp(int(status.st_mtime), UTC),
            is_read and metadata is None and bool(kind),
            "" if metadata is None or metadata.number is None else _shortened(metadata.number),
            metadata,
        )


def _metadata(path: Path) -> PublishedMetadata | None:
    try:
        document = read_file(path)
    except OSError:  # The file was removed meanwhile or is not readable; its own URL returns the error.
        return None
    document.file.close()
    return document.metadata


def _shortened(number: int) -> str:
    """Shorten a CRL number: 20 bytes are allowed (RFC 5280, 5.2.3), and a fault may use more."""
    digits = str(number) if number.bit_length() <= 160 else f"{number:#x}"
    return digits if len(digits) <= 24 else f"{digits[:24]}..."


def _endpoints(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the URL of each host name that is not an address, with the first case that has it."""
    seen = set[str]()
    for case in site.manifest().get("cases", ()):
        if not case.get("server", True):
            continue
        fault = f" ({case['fault']['id']})" if case.get("fault") else ""
        expected = f"{case['name']}: {expected_over_tls(case)}{fault}"
        for host in case["hosts"]:
            if host not in seen and _is_name(host):
                seen.add(host)
                # Any label matches a wildcard.
                name = f"any{host[1:]}" if host.startswith("*.") else host
                yield f"https://{name}:{site.tls_port}/", expected


def _is_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return False
