"""Checks authorities that have the same key as another one (``key_of``)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pkigen.documents.fields import close_to
from pkigen.profile.specifications import AuthoritySpec


def shared_key_errors(
    spec: AuthoritySpec, authorities: Mapping[str, AuthoritySpec], mentioned: Collection[str]
) -> Iterator[tuple[tuple[str | int, ...], str, str | None]]:
    """Return (path in the body, error, suggestion) if an authority cannot have the key that it names.

    ``mentioned`` are the names of authorities that exist, possibly with errors.
    """
    if spec.key_of is None:
        return
    owner = authorities.get(spec.key_of)
    if owner is None:
        if spec.key_of not in mentioned:
            words = f"no authority is called '{spec.key_of}'"
            yield ("key_of",), words, close_to(spec.key_of, tuple(sorted(mentioned)))
    elif owner is spec or owner.key_of is not None or owner.imported is not None:
        words = f"'{spec.key_of}' has no key of its own; name an authority whose key pkigen generates"
        yield ("key_of",), words, None
    elif owner.key != spec.key:
        words = f"the key of '{spec.key_of}' is {owner.key}, not {spec.key}; set key: {owner.key}"
        yield ("key_of",), words, None
