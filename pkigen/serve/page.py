"""The index page: every URL of the stub, for a person. One file, nothing loaded from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import PurePosixPath
from urllib.parse import quote

_KINDS = {".crl": "CRL", ".crt": "CA certificate"}

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4;
        --ground: #ffffff; --link: #0757ba; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #343b44; --ground: #14181d; --link: #7db4ff; } }
body { margin: 0 auto; padding: 2.5rem 1.25rem; max-width: 52rem; color: var(--ink);
       background: var(--ground); font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
p { margin: .4rem 0 1.6rem; color: var(--soft); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); text-align: left;
         vertical-align: baseline; }
th { color: var(--soft); font-size: .85rem; font-weight: 600; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
a { color: var(--link); font-family: ui-monospace, monospace; font-size: .92rem;
    text-decoration: none; overflow-wrap: anywhere; }
a:hover, a:focus-visible { text-decoration: underline; }
@media (max-width: 40rem) {
  thead { display: none; }
  tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  td { display: block; padding: 0; border: 0; text-align: left !important; }
  td + td { color: var(--soft); font-size: .9rem; }
  td:nth-child(3)::after { content: " bytes"; }
  td:nth-child(4)::after { content: " UTC"; } }
"""


def render(title: str, files: Sequence[tuple[str, os.stat_result]]) -> str:
    """An HTML document; ``files`` are paths below ``www/`` with their stat."""
    rows = "\n".join(_row(path, stat) for path, stat in files)
    table = (
        "<table><thead><tr><th>URL</th><th>What it is</th><th class=number>Bytes</th>"
        f"<th class=number>Published (UTC)</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(title)} - pkigen</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<h1>{_text(title)}</h1>
<p>What the certificates of this test environment point to. Everything is DER, as RFC 5280 wants it
over HTTP; <a href="/healthz">/healthz</a> says whether the stub is up.</p>
{table if files else "<p>Nothing is published yet.</p>"}
</body>
</html>
"""


def _row(path: str, stat: os.stat_result) -> str:
    kind = _KINDS.get(PurePosixPath(path).suffix, "file")
    published = datetime.fromtimestamp(int(stat.st_mtime), UTC)
    return (
        f'<tr><td><a href="/{quote(path, errors="surrogateescape")}">/{_text(path)}</a></td><td>{kind}</td>'
        f"<td class=number>{stat.st_size:,}</td><td class=number>{published:%Y-%m-%d %H:%M:%S}</td></tr>"
    )


def _text(text: str) -> str:
    """Safe in HTML, and in UTF-8 whatever a file system takes for a name."""
    return escape(text.encode(errors="replace").decode())
