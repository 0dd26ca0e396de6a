"""Data of the certificate page: facts, path, and the finding of each requirement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pkigen.asn1 import names
from pkigen.formats import pem
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.appliance.credential import display_name
from pkigen.lab.appliance.upload import (
    File,
    Upload,
    UploadResult,
    actual_value,
    check_upload,
)
from pkigen.lab.lab import Lab
from pkigen.requirements import Finding, Level, Status
from pkigen.requirements.demands.path import RevocationDemand
from pkigen.x509 import Certificate, Malformed

_ORDER = {"bad": 0, "notice": 1, "good": 2, "wait": 3}


@dataclass(frozen=True, slots=True)
class Step:
    """A certificate of the path; ``grade`` is good, notice or bad, ``note`` is the reason."""

    name: str
    part: str
    grade: str
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement with its result and the actual value."""

    grade: str
    word: str
    says: str
    actual: str
    section: str


@dataclass(frozen=True, slots=True)
class View:
    """The contents of the page; ``facts`` are pairs of label and value."""

    facts: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    rows: tuple[Row, ...]
    title: str
    days_left: int
    revoked: bool

    @property
    def broken(self) -> int:
        """The number of violated requirements."""
        return sum(row.grade in ("bad", "notice") for row in self.rows)


def view(lab: Lab, appliance: Appliance) -> View:
    """Return the current view of an appliance's certificate, without the requirements on file formats."""
    now = lab.clock()
    leaf = appliance.credential.leaf
    result = _judged_now(lab, appliance)
    checked = result.checked
    findings = [one for one in checked.findings if not _of_files(one)] if checked else []
    path = (leaf, *(checked.presented.path if checked else ()))
    revoked = any(_says_revoked(one) for one in findings)
    title = "; ".join(one.title for one in lab.sets_of(appliance))
    return View(
        _facts(leaf),
        tuple(_step(one, place, now, revoked=revoked and place == 0) for place, one in enumerate(path)),
        tuple(sorted(map(_row, findings), key=lambda row: _ORDER[row.grade])),
        title,
        (leaf.not_after - now).days,
        revoked,
    )


def _judged_now(lab: Lab, appliance: Appliance) -> UploadResult:
    credential = appliance.credential
    name = appliance.name
    chain = b"".join(pem.certificate(one.der) for one in credential.certificates[1:])
    upload = Upload(
        name,
        File(f"{name}.crt", pem.certificate(credential.leaf.der)),
        File(f"{name}.key", pem.encode("PRIVATE KEY", credential.pkcs8)),
        File("chain.pem", chain) if chain else None,
    )
    return check_upload(upload, lab.sets_of(appliance), lab.clock(), appliance.anchors, lab.proxy)


def _of_files(finding: Finding) -> bool:
    return finding.requirement.id.endswith(("-encoding", "-suffix"))


def _facts(leaf: Certificate) -> tuple[tuple[str, str], ...]:
    try:
        alternatives = ", ".join(f"{one.kind}:{one.value}" for one in leaf.extensions.alternative_names or ())
    except Malformed:
        alternatives = "malformed"
    return (
        ("Subject", names.text(leaf.subject)),
        ("Issuer", names.text(leaf.issuer)),
        ("Valid from", f"{leaf.not_before:%Y-%m-%d %H:%M} UTC"),
        ("Valid until", f"{leaf.not_after:%Y-%m-%d %H:%M} UTC"),
        ("Subject alternative names", alternatives or "none"),
        ("Public key", leaf.public_key.name),
        ("Serial number", f"{leaf.serial:x}"),
        ("SHA-256 fingerprint", leaf.fingerprint().hex()),
    )


def _says_revoked(finding: Finding) -> bool:
    demands = finding.requirement.demands
    return finding.failed and any(isinstance(one, RevocationDemand) and one.not_revoked for one in demands)


def _step(one: Certificate, place: int, now: datetime, *, revoked: bool) -> Step:
    part = "This appliance" if place == 0 else ("Root CA" if one.is_self_issued else "Issuing CA")
    if place == 0 and one.is_self_issued:
        part = "This appliance, self-signed"
    end = f"{one.not_after:%Y-%m-%d}"
    if one.not_after < now:
        return Step(display_name(one), part, "bad", f"expired on {end}")
    if one.not_before > now:
        return Step(display_name(one), part, "bad", f"not valid before {one.not_before:%Y-%m-%d}")
    if revoked:
        return Step(display_name(one), part, "bad", "revoked by its CA")
    if place == 0 and one.is_self_issued:
        return Step(display_name(one), part, "notice", f"not issued by a CA, valid until {end}")
    return Step(display_name(one), part, "good", f"valid until {end}")


def _row(finding: Finding) -> Row:
    outcome, requirement = finding.outcome, finding.requirement
    if finding.failed:
        grade, word = {
            Level.REJECTED: ("bad", "Rejected at upload"),
            Level.UNSUPPORTED: ("notice", "Not supported"),
            Level.ADVICE: ("wait", "Advice"),
        }[requirement.level]
        value = actual_value(finding)
    elif outcome.status is Status.PASS:
        grade, word, value = "good", "Passed", outcome.actual
    else:
        grade, word, value = "wait", "Not applicable", outcome.reason
    return Row(grade, word, requirement.says, value, requirement.section)
