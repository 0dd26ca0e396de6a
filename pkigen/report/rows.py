"""A line of the page: one authority or one case, with all that is to be told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pkigen.faults import FAULTS
from pkigen.inspection.check import Checked
from pkigen.report.matrix_results import ValidatorVerdict
from pkigen.report.status import (
    marks,
    parse_time,
    plain,
    quantity,
)
from pkigen.report.timeline import Bar, Scale
from pkigen.requirements import Level

_MOST_HOSTS = 12
_CLASSES = {
    "R": "a strict validator refuses it",
    "A": "a control, which has to be accepted",
    "P": "path validators let it pass, linters and appliances do not",
    "V": "validators differ",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A demand that does not hold: its set, its id, what was found, and whether it is more than advice."""

    set: str
    id: str
    words: str
    serious: bool


@dataclass(frozen=True, slots=True)
class Row:
    """``anchor`` is its id on the page; ``facts`` are pairs of words; ``family`` is the fault's."""

    anchor: str
    name: str
    issuer: str
    issuer_anchor: str
    marks: tuple[str, ...]
    bar: Bar
    from_to: tuple[str, str]
    facts: tuple[tuple[str, str], ...]
    expected: str = ""
    reason: str = ""
    family: str = ""
    broken: tuple[Violation, ...] = ()
    surprising: bool = False
    said: tuple[ValidatorVerdict, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether something is wrong with it on purpose."""
        return "broken" in self.marks

    @property
    def refusing(self) -> int:
        """How many validators refused it."""
        return sum(one.word.startswith("refuse") for one in self.said)

    @property
    def judging(self) -> int:
        """How many validators look at what it is about."""
        return sum(one.word != "blind" for one in self.said)

    @property
    def differing(self) -> int:
        """How many did not do what is expected."""
        return sum(one.differs for one in self.said)


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes rows: by an instant, on a scale, with the anchors of all."""

    now: datetime
    scale: Scale
    anchors: Mapping[str, str]

    def authority(self, data: Mapping[str, Any]) -> Row:
        """An authority's row."""
        facts = [*_facts(data), *_published(data)]
        return self._row(f"authorities/{data['name']}", data, facts)

    def case(self, data: Mapping[str, Any], checked: Checked | None, said: Sequence[ValidatorVerdict]) -> Row:
        """A case's row, with what the check found of it and what validators said."""
        verdict, fault = data["verdict"], data.get("fault")
        facts = [*_facts(data), ("Hosts", _hosts(data["hosts"]) or "none")]
        facts += [("Clients trust", ", ".join(data["trust"]))] if data["trust"] else []
        facts += _about(fault) if fault else []
        facts += [("Verdict", _verdict(verdict))]
        facts += [("At upload", _upload(one)) for one in data.get("uploads", ())]
        return self._row(
            f"certificates/{data['name']}",
            data,
            facts,
            expected=verdict["expected"],
            reason=plain(verdict["reason"] or ""),
            family=_family(fault) if fault else "",
            broken=tuple(_broken(checked)) if checked else (),
            surprising=checked is not None and not checked.as_expected,
            said=tuple(said),
        )

    def _row(self, place: str, data: Mapping[str, Any], facts: list[tuple[str, str]], **more: Any) -> Row:
        issuer = data["issuer"] or ""
        revoked = data["revoked"]
        bar = self.scale.bar(
            parse_time(data["not_before"]),
            parse_time(data["not_after"]),
            parse_time(revoked["at"]) if revoked else None,
        )
        return Row(
            anchor=self.anchors[place],
            name=plain(data["name"]),
            issuer=plain(issuer) or "itself",
            issuer_anchor=self.anchors.get(f"authorities/{issuer}", ""),
            marks=marks(data, self.now),
            bar=bar,
            from_to=(_minute(data["not_before"]), _minute(data["not_after"])),
            facts=tuple((word, plain(value)) for word, value in facts),
            **more,
        )


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("Subject", data["subject"] or "empty"),
        ("Key", data["key"]["kind"]),
        ("Path", " → ".join([data["name"], *data["path"]])),
        ("Serial number", data["serial"]),
        ("SHA-256", data["sha256"]),
    ]
    for cross in data["cross_certificates"]:
        until = _minute(cross["not_after"])
        found.append(
            ("Cross-certificate", f"by {cross['issuer']}, until {until}, serial number {cross['serial']}")
        )
    if revoked := data["revoked"]:
        found.append(("Revoked", f"{_minute(revoked['at'])}, {revoked['reason']}"))
    return found


def _published(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [("Certificate at", data["ca_url"])]
    if crl := data["crl"]:
        until = _minute(crl["next_update"])
        found += [("CRL at", crl["url"]), ("CRL", f"number {crl['number']}, next update {until}")]
    return found


def _about(fault: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind = f"{fault['against']}: " if fault["against"] else ""
    found = [("Fault", f"{kind}{fault['id']} ({fault['clause']})"), ("What is wrong", fault["says"])]
    found += [("How it shows", " ".join(fault["shows"].split()))] if fault["shows"] else []
    found += [("Class", _CLASSES[fault["verdict"]])] if fault["verdict"] else []
    return found


def _verdict(verdict: Mapping[str, Any]) -> str:
    words = f"{verdict['expected']}"
    words += (
        f", at the stage {verdict['stage']}" if verdict["stage"] and verdict["expected"] != "accept" else ""
    )
    return f"{words}, at {_minute(verdict['at'])}" if verdict.get("at") else words


def _upload(one: Mapping[str, Any]) -> str:
    said = "; ".join(one["messages"])
    return f"{one['set']} {'takes' if one['accepted'] else 'refuses'} it{': ' + said if said else ''}"


def _family(fault: Mapping[str, Any]) -> str:
    """That of the catalogue, of the first of several; else the requirement set."""
    first = FAULTS.get(fault["id"].partition("+")[0])
    return str(fault["against"]) or (first.family if first else "")


def _hosts(hosts: Sequence[str]) -> str:
    shown = ", ".join(hosts[:_MOST_HOSTS])
    more = len(hosts) - _MOST_HOSTS
    return f"{shown} and {quantity(more, 'name')} more" if more > 0 else shown


def _broken(checked: Checked) -> list[Violation]:
    found = []
    for one in checked.broken:
        outcome = one.outcome
        words = outcome.reason or f"found {outcome.found}, wanted {outcome.wanted}"
        serious = one.requirement.level is not Level.ADVICE
        found.append(Violation(one.set.name, one.requirement.id, plain(words), serious))
    return found


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")
