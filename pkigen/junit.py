"""JUnit's XML, as build servers read it: suites of cases that passed, failed or were skipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case failed: in a sentence, of which kind, and what there is to say besides."""

    message: str
    kind: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One test; ``skipped`` says why it was not run, ``seconds`` how long it took."""

    name: str
    classname: str
    failure: Failure | None = None
    skipped: str | None = None
    seconds: float | None = None


def report(name: str, suites: Iterable[tuple[str, Sequence[Case]]]) -> str:
    """The document; a suite is its name with its cases."""
    root = ET.Element("testsuites", name=_xml(name))
    for title, cases in suites:
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_xml(title),
            tests=str(len(cases)),
            failures=str(sum(case.failure is not None for case in cases)),
            skipped=str(sum(case.skipped is not None for case in cases)),
        )
        if any(case.seconds is not None for case in cases):
            suite.set("time", f"{sum(case.seconds or 0.0 for case in cases):.3f}")
        for case in cases:
            _add(suite, case)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _add(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", name=_xml(case.name), classname=_xml(case.classname))
    if case.seconds is not None:
        element.set("time", f"{case.seconds:.3f}")
    if case.failure is not None:
        failure = ET.SubElement(element, "failure", message=_xml(case.failure.message))
        if case.failure.kind:
            failure.set("type", _xml(case.failure.kind))
        failure.text = _xml(case.failure.text) or None
    elif case.skipped is not None:
        ET.SubElement(element, "skipped", message=_xml(case.skipped))


def _xml(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii") for c in text
    )
