"""Compares requirement sets with the tests of zlint and pkilint: writes docs/linters.md.

A lint, or a finding of pkilint, counts as detected if one requirement is violated by every file for which the
linter's tests expect it, and by none for which they expect that it passes.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from pkigen.requirements import CheckInput, RequirementSet, load_set
from pkigen.requirements.evaluate import findings
from pkigen.x509 import Certificate, Malformed

GROUPS = {
    "rfc": ("rfc5280",),
    "cabf_br": ("rfc5280", "tls-br"),
    "cabf_ev": ("rfc5280", "tls-br"),
    "cabf_smime_br": ("rfc5280", "smime-br-strict"),
}
"""The directories of zlint's lints, and the sets that they are compared with."""
PKILINT_GROUPS = {
    "pkix": ("rfc5280",),
    "tls_br": ("rfc5280", "tls-br"),
    "smime_br": ("rfc5280", "smime-br-strict"),
}
"""The directories of pkilint's test certificates, and the sets that they are compared with."""
SEVERITIES = ("FATAL", "ERROR", "WARNING")
HEAD = """# Comparison with linters

`scripts/compare_linters.py` compares requirement sets with the tests of two linters: the lints for which
the tests of [zlint](https://github.com/zmap/zlint) expect a finding in a certificate file, and the
findings of [pkilint](https://github.com/digicert/pkilint) in its test certificates.

`make pkilint` is the reverse: pkilint judges the certificates and the negative cases of `tls-br` and
`smime-br-strict`. `tests/pkilint/findings.yaml` maps each requirement to pkilint's findings, with the
deviations. It also judges the profile `negative-cabf`: every fault of the catalog that violates the Baseline
Requirements, on a certificate in which pkilint finds nothing. `tests/pkilint/findings_of_faults.yaml` lists
the findings of each case, and the reason if it has no finding or several.

## zlint

A lint counts as detected if one requirement is violated by every file with the finding, and by none of
the files that pass; where zlint has few files, this can be by chance. `malformed` means that
`pkigen check` reports the file as unreadable. Each certificate is checked alone: lints that need the issuer
count as not detected. The other lints without a counterpart are not covered by the sets.
"""
PKILINT_HEAD = """
## pkilint

A finding, an error or a warning, counts as detected if one requirement is violated by every certificate
with the finding, and by none in the same group without any error or warning. The certificates of the
ETSI profiles are left out, since no set is about them. Those of S/MIME are of all generations; the
findings of the multipurpose and legacy generations alone count as not detected.
"""
POLICIES = {"2.23.140.1.2.1": "dv", "2.23.140.1.2.3": "iv", "2.23.140.1.2.2": "ov", "2.23.140.1.1": "ev"}
LEVELS = {"1": "mailbox", "2": "organization", "3": "sponsor", "4": "individual"}
Groups = dict[str, tuple[tuple[str, ...], dict[str, dict[bool, set[str]]]]]
"""The sets and the expectations of each group."""
EXPECTATION = re.compile(
    r'"([\w./-]+\.pem)"(?:(?!\.pem").){0,400}?lint\.(Error|Warn|Notice|Pass)\b', re.DOTALL
)
LINT = re.compile(r'"([ewn]_[a-z0-9_]+)"')


def expectations(directory: Path, testdata: Path) -> dict[str, dict[bool, set[str]]]:
    """Return the files for which the tests expect a finding (True), or none (False), by lint."""
    lints: dict[str, dict[bool, set[str]]] = defaultdict(lambda: {True: set(), False: set()})
    for source in sorted(directory.glob("*_test.go")):
        text = source.read_text()
        for function in re.split(r"\nfunc Test", text)[1:]:
            names = set(LINT.findall(function)) or set(LINT.findall(text))
            if len(names) == 1 and "config" not in function.lower():
                for name, status in EXPECTATION.findall(function):
                    path = testdata / name
                    if path.is_file() and b"BEGIN CERTIFICATE" in path.read_bytes():
                        lints[min(names)][status != "Pass"].add(name)
    return {name: files for name, files in lints.items() if files[True]}


def pkilint_expectations(directory: Path) -> dict[str, dict[bool, set[str]]]:
    """Return the files with each of pkilint's findings (True), and those without any (False), by finding."""
    every, sound = defaultdict[str, set[str]](set), set[str]()
    for path in sorted(directory.rglob("*.crttest")):
        table = path.read_text().partition("-----END CERTIFICATE-----\n")[2].strip()
        rows = list(csv.DictReader(table.splitlines()))
        codes = {row["code"] for row in rows if row["severity"] in SEVERITIES}
        for code in codes:
            every[code].add(str(path))
        if not codes:
            sound.add(str(path))
    return {code: {True: files, False: sound} for code, files in every.items()}


@cache
def role_of(name: str, role: str | None) -> RequirementSet:
    """Return a set, or one of its roles."""
    return load_set(f"{name}:{role}" if role else name)


def roles(name: str, certificate: Certificate) -> list[str | None]:
    """Return the roles that a certificate may have; several if its policies do not say it."""
    if name == "rfc5280":
        return [None]
    policies = certificate.extensions.certificate_policies or ()
    constraints = certificate.extensions.basic_constraints
    if name == "tls-br" and constraints is not None and constraints.ca:
        return ["root-ca" if certificate.is_self_issued else "subordinate-ca"]
    if name == "tls-br":
        return [POLICIES[one] for one in policies if one in POLICIES] or list(POLICIES.values())
    numbers = (one.split(".")[5] for one in policies if one.startswith("2.23.140.1.5."))
    return [LEVELS[number] for number in numbers if number in LEVELS] or list(LEVELS.values())


@cache
def violated(path: Path, sets: tuple[str, ...]) -> frozenset[str]:
    """Return the requirements that a certificate violates on its own, in each of its roles."""
    try:
        certificate = Certificate(load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER))
        now = certificate.not_before + timedelta(seconds=1)
        constraints = certificate.extensions.basic_constraints
    except (ValueError, Malformed):
        return frozenset({"malformed"})
    data = CheckInput(now=now, certificate=certificate, authority=constraints is not None and constraints.ca)
    results = set[str]()
    for name in sets:
        of_roles = [
            {f"{name}: {one.requirement.id}" for one in findings(role_of(name, role), data) if one.failed}
            for role in roles(name, certificate)
        ]
        results |= set.intersection(*of_roles)
    return frozenset(results)


def detected(files: dict[bool, set[str]], sets: tuple[str, ...], testdata: Path) -> frozenset[str]:
    """Return the requirements that tell the files with the finding from those without."""
    faulty = [violated(testdata / name, sets) for name in files[True]]
    sound = [violated(testdata / name, sets) for name in files[False]]
    return frozenset.intersection(*faulty).difference(*sound)


def main() -> None:
    """Write the table to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zlint", type=Path, help="directory v3 of a checkout of zlint")
    parser.add_argument("pkilint", type=Path, help="checkout of pkilint")
    arguments = parser.parse_args()
    print(HEAD)
    root = arguments.zlint
    print_table(
        {
            group: (sets, expectations(root / "lints" / group, root / "testdata"))
            for group, sets in GROUPS.items()
        },
        root / "testdata",
        "lint",
    )
    print(PKILINT_HEAD)
    root = arguments.pkilint / "tests" / "integration_certificate"
    print_table(
        {group: (sets, pkilint_expectations(root / group)) for group, sets in PKILINT_GROUPS.items()},
        root,
        "finding",
    )


def print_table(groups: Groups, testdata: Path, title: str) -> None:
    """Write the counts of each group, and the requirements that detect each lint."""
    rows, totals = [], Counter[str]()
    for group, (sets, expected) in groups.items():
        for name, files in sorted(expected.items()):
            requirements = detected(files, sets, testdata)
            totals[group] += 1
            totals[f"{group} detected"] += bool(requirements)
            rows.append(f"| {name} | {', '.join(sorted(requirements)[:3]) or 'no'} |")
    print(f"| {title}s of | sets | with test files | detected |\n|---|---|---|---|")
    for group, (sets, _) in groups.items():
        print(f"| {group} | {', '.join(sets)} | {totals[group]} | {totals[f'{group} detected']} |")
    print(f"\n| {title} | detected by |\n|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
