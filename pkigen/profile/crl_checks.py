"""Checks of an authority's CRLs that depend on other authorities."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pkigen.documents.fields import Omit, close_to
from pkigen.profile.specifications import AuthoritySpec

Errors = Iterator[tuple[tuple[str | int, ...], str, str | None]]
"""(path in the body, error, suggestion)"""


def crl_errors(
    spec: AuthoritySpec, authorities: Mapping[str, AuthoritySpec], mentioned: Collection[str]
) -> Errors:
    """Return the errors in `crl` and `crls`; ``mentioned`` are all authorities, possibly with errors."""
    if spec.crl_settings.previous and not spec.imported:
        yield ("crl", "from"), "only an imported authority has a previous CRL", None
    if (lister := spec.crl_settings.issuer) is not None:
        yield from _lister_errors(spec, lister, authorities, mentioned)
    if spec.crls and spec.is_imported_without_key:
        yield ("crls",), "the authority was imported without a key and cannot sign CRLs", None
    seen = set[str]()
    for index, crl in enumerate(spec.crls):
        if crl.name in seen:
            yield ("crls", index, "name"), f"the CRL '{crl.name}' is listed twice", None
        seen.add(crl.name)
        for number, entry in enumerate(crl.entries):
            if entry.issuer is not None and entry.issuer not in mentioned:
                words = f"no authority is called '{entry.issuer}'"
                suggestion = close_to(entry.issuer, tuple(sorted(mentioned)))
                yield ("crls", index, "entries", number, "issuer"), words, suggestion


def _lister_errors(
    spec: AuthoritySpec, lister: str, authorities: Mapping[str, AuthoritySpec], mentioned: Collection[str]
) -> Errors:
    """Check the authority that issues the indirect CRL for another one."""
    where, authority = ("crl", "issuer"), authorities.get(lister)
    if lister == spec.name:
        yield where, f"'{lister}' is the authority itself; leave it out", None
    elif authority is None and lister not in mentioned:
        yield where, f"no authority is called '{lister}'", close_to(lister, tuple(sorted(mentioned)))
    elif authority is not None and authority.is_imported_without_key:
        yield where, f"'{lister}' was imported without a key and cannot sign CRLs", None
    elif authority is not None and isinstance(authority.crl, Omit):
        yield where, f"'{lister}' publishes no CRL (crl: none)", None
    elif authority is not None and authority.crl_settings.issuer:
        yield where, f"'{lister}' delegates its own revocations to another authority", None
