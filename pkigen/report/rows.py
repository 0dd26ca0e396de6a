"""A row of the page: one CA or one case, with its details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pkigen.environment.status import dated_state
from pkigen.faults import FAULTS
from pkigen.inspection.check import CheckResult
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
    "R": "a strict validator rejects it",
    "A": "a control, which must be accepted",
    "P": "path validators accept it, linters and appliances reject it",
    "V": "validators differ",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A violated requirement: its set, ID and message, and whether it is more than advice."""

    set: str
    id: str
    words: str
    serious: bool


@dataclass(frozen=True, slots=True)
class Row:
    """``anchor`` is the HTML ID; ``facts`` are labels and values; ``family`` is the family of the fault."""

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
    verdicts: tuple[ValidatorVerdict, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether it has a fault."""
        return "broken" in self.marks

    @property
    def refusing(self) -> int:
        """The number of validators that reject it."""
        return sum(one.word.startswith("refuse") for one in self.verdicts)

    @property
    def judging(self) -> int:
        """The number of validators that examine the part with the fault."""
        return sum(one.word != "blind" for one in self.verdicts)

    @property
    def differing(self) -> int:
        """The number of validators whose verdict differs from the expected one."""
        return sum(one.differs for one in self.verdicts)


@dataclass(frozen=True, slots=True)
class Rows:
    """Creates the rows for an evaluation time, a scale and the HTML IDs."""

    now: datetime
    scale: Scale
    anchors: Mapping[str, str]

    def authority(self, data: Mapping[str, Any]) -> Row:
        """Return the row of a CA."""
        facts = [*_facts(data), *_published(data)]
        return self._row(f"authorities/{data['name']}", data, facts)

    def case(
        self, data: Mapping[str, Any], checked: CheckResult | None, verdicts: Sequence[ValidatorVerdict]
    ) -> Row:
        """Return the row of a case, with its findings and the validators' verdicts."""
        verdict, fault = data["verdict"], data.get("fault")
        facts = [*_facts(data), ("Hosts", _hosts(data["hosts"]) or "none")]
        facts += [("Clients trust", ", ".join(data["trust"]))] if data["trust"] else []
        state = dated_state(data, self.now)
        facts += [("State", state)] if state else []
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
            verdicts=tuple(verdicts),
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
    facts = [
        ("Subject", data["subject"] or "empty"),
        ("Key", data["key"]["kind"]),
        ("Path", " → ".join([data["name"], *data["path"]])),
        ("Serial number", data["serial"]),
        ("SHA-256", data["sha256"]),
    ]
    for cross in data["cross_certificates"]:
        until = _minute(cross["not_after"])
        facts.append(
            ("Cross-certificate", f"by {cross['issuer']}, until {until}, serial number {cross['serial']}")
        )
    if revoked := data["revoked"]:
        facts.append(("Revoked", f"{_minute(revoked['at'])}, {revoked['reason']}"))
    return facts


def _published(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("Certificate at", data["ca_url"])]
    if crl := data["crl"]:
        until = _minute(crl["next_update"])
        facts += [("CRL at", crl["url"]), ("CRL", f"number {crl['number']}, next update {until}")]
    return facts


def _about(fault: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind = f"{fault['against']}: " if fault["against"] else ""
    facts = [("Fault", f"{kind}{fault['id']} ({fault['clause']})"), ("What is wrong", fault["says"])]
    facts += [("Symptoms", " ".join(fault["shows"].split()))] if fault["shows"] else []
    facts += [("Class", _CLASSES[fault["verdict"]])] if fault["verdict"] else []
    return facts


def _verdict(verdict: Mapping[str, Any]) -> str:
    words = f"{verdict['expected']}"
    words += (
        f", at the stage {verdict['stage']}" if verdict["stage"] and verdict["expected"] != "accept" else ""
    )
    return f"{words}, at {_minute(verdict['at'])}" if verdict.get("at") else words


def _upload(one: Mapping[str, Any]) -> str:
    messages = "; ".join(one["messages"])
    verdict = "accepts" if one["accepted"] else "rejects"
    return f"{one['set']} {verdict} it{': ' + messages if messages else ''}"


def _family(fault: Mapping[str, Any]) -> str:
    """Return the family of the (first) fault, or the name of the requirement set."""
    first = FAULTS.get(fault["id"].partition("+")[0])
    return str(fault["against"]) or (first.family if first else "")


def _hosts(hosts: Sequence[str]) -> str:
    names = ", ".join(hosts[:_MOST_HOSTS])
    more = len(hosts) - _MOST_HOSTS
    return f"{names} and {quantity(more, 'name')} more" if more > 0 else names


def _broken(checked: CheckResult) -> list[Violation]:
    violations = []
    for one in checked.broken:
        outcome = one.outcome
        words = outcome.reason or f"is {outcome.actual}, expected {outcome.expected}"
        serious = one.requirement.level is not Level.ADVICE
        violations.append(Violation(one.set.name, one.requirement.id, plain(words), serious))
    return violations


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")
