"""Compares requirement sets with the tests of zlint: writes docs/linters.md.

A lint counts as detected if one requirement is violated by every file for which zlint's tests expect the
finding, and by none for which they expect that it passes.
"""

from __future__ import annotations

import argparse
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
HEAD = """# Comparison with linters

`scripts/compare_linters.py` compares requirement sets with the tests of [zlint](https://github.com/zmap/zlint):
the lints for which zlint's tests expect a finding in a certificate file. A lint counts as detected if one
requirement is violated by every file with the finding, and by none of the files that pass; where zlint has
few files, this can be by chance. `malformed` means that `pkigen check` reports the file as unreadable. Each
certificate is checked alone: lints that need the issuer count as not detected. The other lints without a
counterpart are not covered by the sets.

`make pkilint` is the reverse: pkilint judges the certificates and the negative cases of `tls-br` and
`smime-br-strict`. `tests/pkilint/findings.yaml` maps each requirement to pkilint's findings,
with the deviations.
"""
POLICIES = {"2.23.140.1.2.1": "dv", "2.23.140.1.2.3": "iv", "2.23.140.1.2.2": "ov", "2.23.140.1.1": "ev"}
LEVELS = {"1": "mailbox", "2": "organization", "3": "sponsor", "4": "individual"}
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
    root = parser.parse_args().zlint
    rows, totals = [], Counter[str]()
    for group, sets in GROUPS.items():
        for name, files in sorted(expectations(root / "lints" / group, root / "testdata").items()):
            requirements = detected(files, sets, root / "testdata")
            totals[group] += 1
            totals[f"{group} detected"] += bool(requirements)
            rows.append(f"| {name} | {', '.join(sorted(requirements)[:3]) or 'no'} |")
    print(HEAD)
    print("| lints of | sets | with test files | detected |\n|---|---|---|---|")
    for group, sets in GROUPS.items():
        print(f"| {group} | {', '.join(sets)} | {totals[group]} | {totals[f'{group} detected']} |")
    print("\n| lint | detected by |\n|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
