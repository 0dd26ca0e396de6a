"""URLs inside the values of extensions (GeneralName [6], RFC 5280, 4.2.1.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

from pkigen.asn1 import der, names
from pkigen.model import Name

_URI = 0x86
_CONSTRUCTED = 0x20


def with_urls(value: bytes, change: Callable[[str], str]) -> bytes:
    """Change each URL in the value of an extension."""

    def edit(name: bytes) -> bytes:
        return der.tlv(_URI, change(der.contents(name).decode("ascii", "replace")).encode())

    for path in tuple(_paths(value, ())):
        value = der.edit(value, path, edit)
    return value


def urls_in(value: bytes) -> tuple[str, ...]:
    """Return the URLs in the value of an extension, in order."""
    urls = list[str]()

    def note(url: str) -> str:
        urls.append(url)
        return url

    with_urls(value, note)
    return tuple(urls)


def ldap_url(url: str, entry: Name, attribute: str) -> str:
    """Return the LDAP URL of an attribute of a directory entry on the host of another URL.

    It names the entry and the attribute, as RFC 5280 requires (4.2.1.13 and 4.2.2.1).
    """
    name = quote(names.rfc4514(entry), safe="=,+")
    return f"ldap://{urlsplit(url).netloc}/{name}?{attribute};binary"


def _paths(value: bytes, path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if value[0] == _URI:
        yield path
    elif value[0] & _CONSTRUCTED:
        for number, part in enumerate(der.children(value)):
            yield from _paths(part, (*path, number))
