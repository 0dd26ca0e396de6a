"""Conditions for each alternative name: its syntax, wildcards, reserved names, and the values of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from pkigen.asn1 import der
from pkigen.cases.general_names import dns
from pkigen.documents.fields import Parsed, Value, unknown
from pkigen.requirements.name_changes import Change, all_respelled, appended, respelled
from pkigen.requirements.name_kinds import (
    ASN1_TYPES,
    encoded,
    is_other_name,
    other_name,
    text_of,
    title_of,
)
from pkigen.requirements.name_syntax import (
    has_well_placed_wildcard,
    is_in_reverse_zone,
    is_public,
    is_well_formed,
)
from pkigen.requirements.pattern import LONGEST_VALUE, Pattern
from pkigen.x509 import GeneralName

Deviation = tuple[str, str, Change]
"""A way to deviate from a condition: its variant, its description with a ``{title}``, and the change."""


@dataclass(frozen=True)
class NameCondition:
    """A condition that each name satisfies, what a message expects, and the deviations from it."""

    holds: Callable[[GeneralName], bool]
    expected: str
    deviations: tuple[Deviation, ...]


def _of_host(spell: Callable[[str], str]) -> Change:
    """Append a DNS name in the domain of the certificate."""
    return lambda listed: (*listed.encoded, dns(spell(listed.host)))


def _spelled(spell: Callable[[str], str]) -> Change:
    """Respell a DNS name."""
    return respelled("dns", lambda text: dns(spell(text)))


def _starred(text: str) -> str:
    return f"*.{text.removeprefix('*.')}"


_SYNTAX = NameCondition(
    is_well_formed,
    "DNS names in the preferred syntax, full addresses and URIs",
    (("syntax", "A DNS name in the {title} extension has an underscore.", _of_host("bad_name.{}".format)),),
)
_NO_WILDCARD = NameCondition(
    lambda name: name.kind != "dns" or "*" not in name.value,
    "no wildcard",
    (("wildcard", "A DNS name in the {title} extension is a wildcard.", _spelled(_starred)),),
)
_WHOLE_LABEL = NameCondition(
    has_well_placed_wildcard,
    "a wildcard only as the whole left-most label",
    (
        (
            "partial-wildcard",
            "A wildcard in the {title} extension is only a part of a label.",
            _of_host("w*.{}".format),
        ),
        (
            "inner-wildcard",
            "A wildcard in the {title} extension is not the first label.",
            _of_host("w.*.{}".format),
        ),
    ),
)
_PUBLIC = NameCondition(
    is_public,
    "no internal or reserved name or address",
    (
        (
            "single-label",
            "A DNS name in the {title} extension has only one label.",
            appended(dns("intranet")),
        ),
        (
            "reserved-name",
            "A DNS name in the {title} extension is in the reserved domain internal.",
            appended(dns("host.internal")),
        ),
    ),
)
_NO_REVERSE_ZONE = NameCondition(
    lambda name: not is_in_reverse_zone(name),
    "no name in a reverse zone",
    (
        (
            "reverse-zone",
            "A DNS name in the {title} extension is in a reverse zone.",
            appended(dns("8.8.8.8.in-addr.arpa")),
        ),
    ),
)
_NO_TRAILING_DOT = NameCondition(
    lambda name: name.kind != "dns" or not name.value.endswith("."),
    "no dot at the end of a DNS name",
    (("trailing-dot", "A DNS name in the {title} extension ends with a dot.", _spelled("{}.".format)),),
)


def conditions(
    *, syntax: bool, wildcard: str, public_names: bool, no_reverse_zones: bool, no_trailing_dot: bool
) -> Iterator[NameCondition]:
    """Yield the conditions that the fields of a demand set."""
    chosen = (
        (syntax, _SYNTAX),
        (wildcard == "forbidden", _NO_WILDCARD),
        (wildcard == "whole-label", _WHOLE_LABEL),
        (public_names, _PUBLIC),
        (no_reverse_zones, _NO_REVERSE_ZONE),
        (no_trailing_dot, _NO_TRAILING_DOT),
    )
    yield from (condition for applies, condition in chosen if applies)


_SCHEMES = ("https", "http", "ldap", "ftp", "wss", "other")


def _parse_type(text: str) -> str:
    if text not in ASN1_TYPES:
        raise ValueError(unknown("ASN.1 type", text, tuple(ASN1_TYPES)))
    return str(text)


def _parse_scheme(text: str) -> str:
    if not text or not text.replace("+", "").replace("-", "").replace(".", "").isalnum():
        raise ValueError(f"'{text}' is not the scheme of a URI, such as https")
    return text.lower()


Scheme = Annotated[str, Parsed(_parse_scheme, "https, spiffe ...")]


class NameValues(Value):
    """The values of the alternative names of one kind.

    ``pattern`` is a regular expression that matches the whole value, and ``counterexample`` a value that it
    does not match. ``schemes`` are those of URIs, ``type`` is the ASN.1 type of an otherName. ``match``:
    every name of the kind satisfies the conditions, or some name does.
    """

    pattern: Annotated[Pattern, Parsed(Pattern, "a regular expression")] | None = None
    counterexample: Annotated[str, Field(max_length=LONGEST_VALUE)] = ""
    schemes: Annotated[tuple[Scheme, ...], Field(max_length=5)] = ()
    type: Annotated[str, Parsed(_parse_type, "UTF8String, SEQUENCE ...")] | None = None
    match: Literal["every", "some"] = "every"

    @model_validator(mode="after")
    def _can_be_violated(self) -> NameValues:
        if self.pattern is None and not self.schemes and self.type is None:
            raise ValueError("no condition given; set at least one of pattern, schemes, type")
        if self.pattern is not None and self.pattern.matches(self.counterexample):
            raise ValueError("'counterexample' must be a value that does not match the pattern")
        if self.pattern is None and self.counterexample:
            raise ValueError("'counterexample' needs 'pattern'")
        return self

    def problem_with_kind(self, kind: str) -> str:
        """Return why names of a kind cannot have these conditions, or an empty string."""
        if self.schemes and kind != "uri":
            return "'schemes' is a condition for names of the kind uri"
        if self.type is not None and not is_other_name(kind):
            return "'type' is a condition for an otherName, such as UPN"
        if self.pattern is not None:
            try:
                self._encoded(kind, self.counterexample)
            except ValueError:
                return f"'counterexample' must be a value that a name of the kind {title_of(kind)} can have"
        return ""

    def _encoded(self, kind: str, text: str) -> bytes:
        return encoded(kind, text, ASN1_TYPES[self.type] if self.type else None)

    def _fits(self, name: GeneralName) -> bool:
        return (
            (self.pattern is None or self.pattern.matches(text_of(name)))
            and (not self.schemes or name.value.partition(":")[0].lower() in self.schemes)
            and (self.type is None or name.der[:1] == bytes([ASN1_TYPES[self.type]]))
        )

    @property
    def _expected(self) -> str:
        parts = [
            f"matching {self.pattern} (at most {LONGEST_VALUE:,} characters)" if self.pattern else "",
            f"with {' or '.join(self.schemes)}" if self.schemes else "",
            f"that is a {self.type}" if self.type else "",
        ]
        return ", ".join(filter(None, parts))

    def problem(self, kind: str, names: tuple[GeneralName, ...]) -> tuple[str, str] | None:
        """Return the actual and the expected values if the names of the kind violate the conditions."""
        title = title_of(kind)
        wrong = [str(name) for name in names if not self._fits(name)]
        if self.match == "some" and len(wrong) == len(names):
            return ", ".join(wrong) or f"no name of the kind {title}", f"a {title} {self._expected}"
        if self.match == "every" and wrong:
            return ", ".join(wrong), f"each {title} {self._expected}"
        return None

    def deviations(self, kind: str) -> Iterator[Deviation]:
        """Yield a value that the pattern does not match, another scheme, another type."""
        title = title_of(kind)
        change = partial(all_respelled, where=self._fits) if self.match == "some" else respelled
        names = (
            f"{'Every' if self.match == 'some' else 'A'} name of the kind {title} in the {{title}} extension"
        )
        if self.pattern is not None:
            name = self._encoded(kind, self.counterexample)
            yield "value", f"{names} deviates from the required form.", change(kind, lambda text: name)
        if self.schemes:
            scheme = next(one for one in _SCHEMES if one not in self.schemes)
            yield "scheme", f"{names} has the scheme {scheme}.", change(kind, partial(_with_scheme, scheme))
        if self.type is not None:
            says = f"{names} has a value that is not a {self.type}."
            yield "type", says, change(kind, partial(self._retyped, kind))

    def _retyped(self, kind: str, text: str) -> bytes:
        """Return the value as another string type."""
        tag = der.IA5_STRING if self.type == "UTF8String" else der.UTF8_STRING
        return other_name(kind, der.string(tag, text if text.isascii() else "other"))


def _with_scheme(scheme: str, url: str) -> bytes:
    """Return a URI with another scheme; of a URI without an authority, one that has one."""
    parts = urlsplit(url)
    host = parts.netloc or "contoso.test"
    return encoded("uri", f"{scheme}://{host}/{parts.path.lstrip('/')}")
