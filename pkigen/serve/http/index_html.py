"""The index page: every URL of the stub, for a person. One file, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import PurePosixPath
from urllib.parse import quote

from pkigen.serve.http.metadata import PublishedMetadata

MOST_ROWS = 250
"""Files on one page."""
MOST_ENDPOINTS = 50
"""TLS endpoints on a page."""

_KINDS = {".crl": "CRL", ".crt": "certificate", ".cer": "certificate"}

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4;
        --ground: #ffffff; --raised: #f4f6f8; --link: #0757ba; --bad: #a8071a; --wait: #7a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #343b44; --ground: #14181d; --raised: #1d232a;
          --link: #7db4ff; --bad: #ff9a9a; --wait: #f0c060; } }
body { margin: 0 auto; padding: 2.5rem 1.25rem; max-width: 76rem; color: var(--ink);
       background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .4rem; font-size: 1.1rem; }
p { margin: .4rem 0 1rem; color: var(--soft); max-width: 46rem; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .55rem 1.1rem .55rem 0; border-bottom: 1px solid var(--line); text-align: left;
         vertical-align: top; }
th { color: var(--soft); font-size: .82rem; font-weight: 600; }
th:last-child, td:last-child { padding-right: 0; }
.details, time { font-variant-numeric: tabular-nums; }
time { white-space: nowrap; }
.whose { font-weight: 600; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
code { padding: .1rem .3rem; border-radius: .25rem; background: var(--raised); overflow-wrap: anywhere;
       font: .88rem/1.6 ui-monospace, monospace; user-select: all; -webkit-user-select: all; }
.mark { display: inline-block; padding: 0 .45rem; border: 1px solid; border-radius: 1rem; color: var(--bad);
        font-size: .78rem; font-weight: 600; white-space: nowrap; }
.mark.early { color: var(--wait); }
a { color: var(--link); }
nav a { margin-right: 1rem; }
@media (max-width: 56rem) {
  body { padding: 1.5rem 1rem; }
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: block; padding: .7rem 0; border-bottom: 1px solid var(--line); }
  td { display: block; padding: .1rem 0; border: 0; }
  td[data-label]:not(:empty)::before { content: attr(data-label) " "; color: var(--soft); } }
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A published file: its path below ``www/``, octets, and what it holds as far as that was looked at."""

    path: str
    size: int
    published: datetime
    looked_at: bool
    contents: PublishedMetadata | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows: files ``rows`` of ``total``, the first of them number ``first`` (from 0).

    ``base_url`` is what the certificates point to, ``here`` where this page was asked for; neither has a
    trailing slash. ``ocsp`` is a URL or empty. ``endpoints`` are TLS URLs with what to expect there.
    """

    title: str
    base_url: str
    here: str
    now: datetime
    rows: tuple[Row, ...]
    first: int
    total: int
    ocsp: str = ""
    endpoints: tuple[tuple[str, str], ...] = ()


def render(shown: Overview) -> str:
    """An HTML document."""
    title = _text(shown.title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - pkigen</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p>What the certificates of this test environment point to. Everything is DER, as RFC 5280 wants it
over HTTP; times are UTC, and it is {_time(shown.now)}. <a href="/healthz">/healthz</a> says whether the stub
is up.</p>
{_elsewhere(shown)}<h2>CRLs and CA certificates</h2>
{_files(shown)}
{"".join(_services(shown))}</body>
</html>
"""


def _elsewhere(shown: Overview) -> str:
    if shown.base_url == shown.here:
        return ""
    return (
        f"<p>The certificates point to <code>{_text(shown.base_url)}</code>, and you are at "
        f"<code>{_text(shown.here)}</code>. The URLs below are those in the certificates; downloads come "
        "from here.</p>\n"
    )


def _services(shown: Overview) -> Iterator[str]:
    if shown.ocsp:
        yield f"<h2>OCSP</h2>\n<p><code>{_text(shown.ocsp)}</code> by POST and GET (RFC 6960)</p>\n"
    if shown.endpoints:
        rows = "".join(
            f"<tr><td><code>{_text(url)}</code></td><td>{_text(what)}</td></tr>\n"
            for url, what in shown.endpoints[:MOST_ENDPOINTS]
        )
        more = len(shown.endpoints) - MOST_ENDPOINTS
        yield f"<h2>TLS endpoints</h2>\n<table><tbody>\n{rows}</tbody></table>\n"
        if more > 0:
            yield f"<p>And {more:,} more: <code>pkigen hosts</code> prints all of them.</p>\n"


def _files(shown: Overview) -> str:
    if not shown.total:
        return "<p>Nothing is published yet.</p>"
    rows = "\n".join(_row(shown, row) for row in shown.rows)
    return (
        "<table><thead><tr><th>Whose</th><th>URL</th><th>This update, valid from</th>"
        f"<th>Next update, valid until</th><th>Details</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
        f"{_pages(shown)}"
    )


def _row(shown: Overview, row: Row) -> str:
    held = row.contents
    crl = held is not None and held.is_crl
    begins, ends = ("this update", "next update") if crl else ("valid from", "valid until")
    path = quote(row.path, errors="surrogateescape")
    cells = (
        f"<td>{_whose(row, shown.now)}</td>",
        f'<td><code>{_text(shown.base_url)}/{path}</code> <a href="/{path}" download>Download</a></td>',
        f'<td data-label="{begins}">{_time(held.begins) if held else ""}</td>',
        f'<td data-label="{ends}">{_time(held.ends) if held and held.ends else ""}</td>',
        f"<td class=details>{'<br>'.join(_details(row))}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _whose(row: Row, now: datetime) -> str:
    suffix = PurePosixPath(row.path).suffix
    held = row.contents
    if held is None:
        kind = _KINDS.get(suffix)
        if kind is None or not row.looked_at:
            return f"<span class=soft>{kind or 'File'}</span>"
        return f"<span class=mark>Not a {kind} in DER</span>"
    shown = f"<span class=whose>{_text(held.whose)}</span><br><span class=soft>{held.kind}</span>"
    if now < held.begins:
        return f'{shown} <span class="mark early">Not yet valid</span>'
    if held.ends is not None and held.ends <= now:
        past = "Past its next update" if held.is_crl else "Expired"
        return f"{shown} <span class=mark>{past}</span>"
    return shown


def _details(row: Row) -> Iterator[str]:
    held = row.contents
    if held is not None and held.number is not None:
        yield f"No. {_number(held.number)}"
    if held is not None and held.count is not None:
        yield f"{held.count:,} {'entry' if held.count == 1 else 'entries'}"
    yield f"{row.size:,} bytes"
    if held is None:
        yield f"published {_time(row.published)}"


def _number(number: int) -> str:
    """A CRL number has up to 20 octets (RFC 5280, 5.2.3), and a fault's may have more."""
    digits = str(number) if number.bit_length() <= 160 else f"{number:#x}"
    return digits if len(digits) <= 24 else f"{digits[:24]}..."


def _pages(shown: Overview) -> str:
    """How many more there are, and the way to them."""
    last = shown.first + len(shown.rows)
    if len(shown.rows) == shown.total:
        return ""
    number = shown.first // MOST_ROWS + 1
    earlier = f'<a href="/?page={number - 1}">Previous</a>' if shown.first else ""
    later = f'<a href="/?page={number + 1}">Next</a>' if last < shown.total else ""
    said = f"{shown.first + 1:,} to {last:,} of {shown.total:,} files" if shown.rows else "Nothing here"
    return f"<nav><p>{said}; {max(shown.total - last, 0):,} more.</p>{earlier} {later}</nav>"


def _time(instant: datetime) -> str:
    return f"<time>{instant:%Y-%m-%d %H:%M:%S}</time>"


def _text(text: str) -> str:
    """Safe in HTML, and in UTF-8 whatever a file system takes for a name."""
    return escape(text.encode(errors="replace").decode())
