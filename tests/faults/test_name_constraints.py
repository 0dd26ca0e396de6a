"""Name constraints: what openssl reads in them, and that nothing but them is wrong."""

from __future__ import annotations

import pytest

from pkigen.asn1 import oids
from pkigen.cases.extension_values import leave_out
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS, Case
from tests.faults.judging import build_changed, certtool_accepts, extension_text, openssl_says

FAMILY = [one for one in FAULTS.values() if one.family == "name-constraints"]
PERMITTED, EXCLUDED = "permitted subtree violation", "excluded subtree violation"

# At which authority (0 is the issuing CA), what openssl reads, what it says of the path.
REFUSED = {
    "nc-permitted-dns": (0, ["Permitted:", "DNS:elsewhere.test"], PERMITTED),
    "nc-permitted-dns-root": (1, ["Permitted:", "DNS:elsewhere.test"], PERMITTED),
    "nc-excluded-dns": (0, ["Excluded:", "DNS:nc-excluded-dns.sensor.contoso.test"], EXCLUDED),
    "nc-excluded-dns-root": (1, ["Excluded:", "DNS:nc-excluded-dns-root.sensor.contoso.test"], EXCLUDED),
    "nc-dn-permitted-violation": (0, ["Permitted:", "DirName:O=Elsewhere"], PERMITTED),
    "nc-dn-excluded-violation": (0, ["Excluded:", "DirName:C=US"], EXCLUDED),
    "nc-email-violation": (0, ["Permitted:", "email:mail.test"], PERMITTED),
    "nc-uri-violation": (0, ["Permitted:", "URI:web.test"], PERMITTED),
    "nc-ip-violation": (0, ["Permitted:", "IP:192.0.2.0/255.255.255.0"], PERMITTED),
    "nc-noncritical-violation": (0, ["Permitted:", "DNS:elsewhere.test"], PERMITTED),
    "nc-min-nonzero": (0, ["Permitted:", "DNS:nc-min-nonzero.sensor.contoso.test"], "minimum and maximum"),
    "nc-max-present": (0, ["Permitted:", "DNS:nc-max-present.sensor.contoso.test"], "minimum and maximum"),
    "nc-ip-bad-length": (0, ["Permitted:", "IP:192.0.2.1/<invalid length=0>"], "invalid name syntax"),
    "nc-othername-excluded": (0, ["Excluded:", "othername:UPN:sensor@elsewhere.test"], "constraint type"),
    "nc-cn-only": (0, ["Permitted:", "DNS:elsewhere.test"], PERMITTED),
}
ACCEPTED = {
    "nc-noncritical-ok": (0, ["Permitted:", "DNS:nc-noncritical-ok.sensor.contoso.test"]),
    "nc-empty": (0, []),
    "nc-empty-subtrees": (0, []),
    "nc-leading-dot": (0, ["Permitted:", "DNS:.sensor.contoso.test"]),
    "nc-ip-mask-gap": (0, ["Permitted:", "IP:192.0.2.0/255.0.255.0"]),
    "nc-on-leaf": (None, ["Permitted:", "DNS:nc-on-leaf.sensor.contoso.test"]),
    "nc-wildcard-vs-excluded": (
        0,
        ["Excluded:", "DNS:secret.wild.nc-wildcard-vs-excluded.sensor.contoso.test"],
    ),
}

# Where certtool differs from the class in the catalog, and why.
CERTTOOL = {
    "nc-othername-excluded": "GnuTLS passes over other names, and over constraints of them",
    "nc-dn-in-san": "GnuTLS passes over directory names",
    "nc-dn-subject-mismatch": "GnuTLS passes over directory names",
    "nc-dn-permitted-violation": "GnuTLS passes over directory names",
    "nc-uri-violation": "GnuTLS passes over constraints on URIs",
    "nc-intermediate-san-violated": "GnuTLS applies constraints to the end-entity certificate alone",
    "nc-uri-zone": "GnuTLS compares the zone as a host name",
}
UNSUPPORTED = {"nc-x400", "nc-edi"}
"""Names that certtool rejects, constraints or not."""


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", REFUSED)
def test_openssl_shows_the_constraint_of_the_fault(catalogue: Environment, fault: str) -> None:
    level, subtrees, words = REFUSED[fault]
    assert extension_text(catalogue, fault, "nameConstraints", level)[1:] == subtrees
    assert words in openssl_says(catalogue, fault)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", ACCEPTED)
def test_constraints_that_only_some_validators_reject_are_included(
    catalogue: Environment, fault: str
) -> None:
    level, subtrees = ACCEPTED[fault]
    assert extension_text(catalogue, fault, "nameConstraints", level)[1:] == subtrees
    assert openssl_says(catalogue, fault) == ""


@pytest.mark.needs("openssl")
def test_name_constraints_are_critical_unless_the_fault_changes_that(catalogue: Environment) -> None:
    levels = {fault: level for fault, (level, *_) in (REFUSED | ACCEPTED).items()}
    titles = {
        fault: extension_text(catalogue, fault, "nameConstraints", level)[0]
        for fault, level in levels.items()
    }
    not_critical = {fault for fault, title in titles.items() if not title.endswith(": critical")}
    assert not_critical == {"nc-noncritical-violation", "nc-noncritical-ok"}


@pytest.mark.needs("openssl")
def test_openssl_does_not_compare_four_million_names(catalogue: Environment) -> None:
    subtrees = extension_text(catalogue, "nc-dos", "nameConstraints", 0)[1:]
    assert subtrees[0] == "Excluded:"
    assert len(subtrees) == 2049
    names = extension_text(catalogue, "nc-dos", "subjectAltName")[1].split(", ")
    assert len(names) == 2049
    assert not set(names) & set(subtrees)
    assert "unspecified certificate verification error" in openssl_says(catalogue, "nc-dos")


@pytest.mark.needs("certtool")
def test_certtool_rejects_what_strict_validators_reject(catalogue: Environment) -> None:
    strict = {one.id for one in FAMILY if one.verdict == "R"}
    assert {one for one in strict if certtool_accepts(catalogue, one)} == CERTTOOL.keys()


@pytest.fixture(scope="module")
def lifted(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same cases without the constraints."""

    def lift(case: Case) -> Case:
        for level in (None, *range(len(case.authorities))):
            if level is None or case.authorities[level].name in case.copies:
                case = leave_out(case, oids.NAME_CONSTRAINTS, level)
        return case

    return build_changed(tmp_path_factory.mktemp("lifted"), [one.id for one in FAMILY], lift)


@pytest.mark.needs("openssl", "certtool")
@pytest.mark.parametrize("fault", [one.id for one in FAMILY])
def test_a_case_is_valid_without_its_constraint(lifted: Environment, fault: str) -> None:
    assert openssl_says(lifted, fault) == ""
    assert certtool_accepts(lifted, fault) is (fault not in UNSUPPORTED)
