"""Changes of the names in an alternative name extension, for negative cases.

Each change affects as few names as possible, and leaves the names of the subject in the list if it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.model import Extension
from pkigen.requirements.name_kinds import (
    comparable,
    encoded,
    is_other_name,
    kind_of,
    other_name,
    sample_of,
    text_of,
    title_of,
)
from pkigen.x509 import GeneralName, Malformed
from pkigen.x509.general_names import general_name


@dataclass(frozen=True)
class NameList:
    """The names of an extension in DER, and the values of the subject's attributes in lowercase."""

    encoded: tuple[bytes, ...]
    subject: frozenset[str] = frozenset()

    def of(self, kind: str) -> list[int]:
        """Return the positions of the names of a kind, those that the subject does not have first."""
        numbers = [number for number, name in enumerate(map(_decoded, self.encoded)) if kind_of(name) == kind]
        return sorted(numbers, key=lambda number: self.text(number).lower() in self.subject)

    def text(self, number: int) -> str:
        """Return the value of a name."""
        return text_of(_decoded(self.encoded[number]))

    def replaced(self, number: int, name: bytes) -> tuple[bytes, ...]:
        """Return the names with another one at a position."""
        return (*self.encoded[:number], name, *self.encoded[number + 1 :])

    @property
    def host(self) -> str:
        """The last DNS name of the list without a wildcard, or else a host name of a documentation domain."""
        numbers = self.of("dns")
        return self.text(numbers[-1]).rpartition("*.")[2] if numbers else "contoso.test"

    @property
    def _uri(self) -> str:
        numbers = self.of("uri")
        return self.text(numbers[-1]).rstrip("/") if numbers else f"https://{self.host}"

    def another(self, kind: str, number: int = 0) -> bytes:
        """Return a name of a kind that is not in the list, in the domain of its DNS names."""
        label = f"other-{number}" if number else "other"
        if is_other_name(kind):
            return other_name(kind, sample_of(kind))
        addresses = self.of("ip")
        address = ip_address(self.text(addresses[-1]) if addresses else "192.0.2.77") + number + 1
        samples = {
            "dns": f"{label}.{self.host}",
            "email": f"{label}@{self.host}",
            "uri": f"{self._uri}/{label}",
            "ip": str(address),
            "rid": f"1.2.3.{number + 4}",
            "dirname": f"CN={label}",
        }
        return encoded(kind, samples[kind])


Change = Callable[[NameList], tuple[bytes, ...]]


def changed(oid: str, change: Change) -> Callable[[Case], Case]:
    """Return a change of a case that changes the names of an extension; a missing extension is added."""

    def apply(case: Case) -> Case:
        extension = case.extension(oid) or Extension(oid, False, der.sequence())
        if not isinstance(extension.value, bytes):
            raise Impossible("the alternative names are not known yet")
        subject = frozenset(str(one.value).lower() for rdn in case.plan.subject for one in rdn)
        listed = NameList(tuple(der.children(extension.value)), subject)
        return case.with_extension(replace(extension, value=der.sequence(*change(listed))))

    return apply


def appended(*added: bytes) -> Change:
    """Append names."""
    return lambda listed: (*listed.encoded, *added)


def one_more(kind: str) -> Change:
    """Append a name of a kind: a copy of a name of the kind in the list, or else a sample."""

    def change(listed: NameList) -> tuple[bytes, ...]:
        numbers = listed.of(kind)
        name = listed.encoded[numbers[0]] if numbers else listed.another(kind)
        return (*listed.encoded, name)

    return change


def filled(total: int, kind: str = "") -> Change:
    """Append names until there are ``total`` names of a kind; without a kind, ``total`` names in all."""

    def change(listed: NameList) -> tuple[bytes, ...]:
        first = kind or (kind_of(_decoded(listed.encoded[0])) if listed.encoded else "dns")
        present = len(listed.of(kind)) if kind else len(listed.encoded)
        return (*listed.encoded, *(listed.another(first, number) for number in range(1, total - present + 1)))

    return change


def without_kind(kind: str, substitutes: Iterable[str], *, all_of_them: bool = True) -> Change:
    """Remove all names of a kind, or one; if no name is left, put one of another kind."""

    def change(listed: NameList) -> tuple[bytes, ...]:
        removed = listed.of(kind)[: None if all_of_them else 1]
        remaining = tuple(name for number, name in enumerate(listed.encoded) if number not in removed)
        substitute = next((one for one in substitutes if one != kind), None)
        if not remaining and substitute is None:
            raise Impossible(f"the list has only names of the kind {title_of(kind)}, and permits no other")
        return remaining or (listed.another(substitute or ""),)

    return change


def respelled(kind: str, spell: Callable[[str], bytes]) -> Change:
    """Replace a name of a kind by the result of a function of its value; append the result for a sample.

    A name that the subject has, too, remains; the result is then appended.
    """

    def change(listed: NameList) -> tuple[bytes, ...]:
        for number in listed.of(kind)[:1]:
            text = listed.text(number)
            if text.lower() not in listed.subject:
                return listed.replaced(number, spell(text))
            return (*listed.encoded, spell(text))
        return (*listed.encoded, spell(text_of(_decoded(listed.another(kind)))))

    return change


def all_respelled(kind: str, spell: Callable[[str], bytes], where: Callable[[GeneralName], bool]) -> Change:
    """Replace the names of a kind for which ``where`` is true by the result of a function of their values."""

    def change(listed: NameList) -> tuple[bytes, ...]:
        for number in listed.of(kind):
            if where(_decoded(listed.encoded[number])):
                listed = replace(listed, encoded=listed.replaced(number, spell(listed.text(number))))
        return listed.encoded

    return change


def without_subject(listed: NameList) -> tuple[bytes, ...]:
    """Replace the names that the subject has, too, by other ones of their kind."""
    for number, name in enumerate(listed.encoded):
        kind = kind_of(_decoded(name))
        if listed.text(number).lower() in listed.subject:
            listed = replace(listed, encoded=listed.replaced(number, listed.another(kind)))
    return listed.encoded


def without_value(kind: str, value: str) -> Change:
    """Replace each name with a value by another one of the same kind."""

    def change(listed: NameList) -> tuple[bytes, ...]:
        other = listed.another(kind)
        for number in listed.of(kind):
            if comparable(kind, listed.text(number)) == comparable(kind, value):
                listed = replace(listed, encoded=listed.replaced(number, other))
        return listed.encoded

    return change


def _decoded(name: bytes) -> GeneralName:
    try:
        return general_name(name)
    except Malformed as error:
        raise Impossible(f"an alternative name of the certificate is malformed: {error}") from error
