"""Policies: what openssl reads in them, and what it says when it is asked to process them."""

from __future__ import annotations

import pytest

from pkigen.asn1 import der, oids
from pkigen.cases.extension_values import put
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS, Case
from tests.faults.judging import build_changed, certtool_accepts, extension_text, openssl_says

DOMAIN, ORGANIZATION = "Policy: 2.23.140.1.2.1", "Policy: 2.23.140.1.2.2"
OWN = "1.3.6.1.4.1.55738.99.3"

# Extension, authority (0 is the issuing CA; None: the certificate's own), what openssl reads in it.
READ = [
    ("pol-require-explicit-unmet", "policyConstraints", 0, ["Require Explicit Policy:0"]),
    ("pol-require-explicit-unmet", "certificatePolicies", 0, ["Policy: X509v3 Any Policy"]),
    ("pol-constraints-noncritical", "policyConstraints", 0, ["Inhibit Policy Mapping:0"]),
    ("pol-mapping-any", "policyMappings", 0, [f"{OWN}:X509v3 Any Policy"]),
    ("pol-mapping-any", "certificatePolicies", 0, [f"Policy: {OWN}"]),
    ("pol-duplicate-oid", "certificatePolicies", None, [DOMAIN, DOMAIN]),
    ("pol-empty", "certificatePolicies", None, []),
    (
        "pol-critical-unknown-qualifier",
        "certificatePolicies",
        None,
        [DOMAIN, "Unknown Qualifier: 1.3.6.1.4.1.55738.99.4"],
    ),
    ("pol-inhibit-any-negative", "inhibitAnyPolicy", 0, ["-1"]),
    ("pol-reserved-missing", "certificatePolicies", None, [f"Policy: {OWN}"]),
    ("pol-reserved-multiple", "certificatePolicies", None, [DOMAIN, ORGANIZATION]),
]
CRITICAL = {
    "pol-require-explicit-unmet": "policyConstraints",
    "pol-constraints-empty": "policyConstraints",
    "pol-mapping-any": "policyMappings",
    "pol-inhibit-any-negative": "inhibitAnyPolicy",
}
# By default, OpenSSL accepts no policy, whereas RFC 5280 (6.1.1 (c)) accepts any.
PROCESSING = ("-policy_check", "-policy", oids.ANY_POLICY)
INVALID = "invalid or inconsistent certificate policy extension"
PROCESSED = {
    "pol-require-explicit-unmet": "no explicit policy",
    "pol-constraints-empty": INVALID,
    "pol-mapping-any": INVALID,
    "pol-duplicate-oid": INVALID,
    "pol-constraints-noncritical-unmet": "no explicit policy",
    "pol-inhibit-any-unmet": "no explicit policy",
    "pol-mapping-inhibited": "no explicit policy",
    "pol-critical-leaf-malformed": INVALID,
    "pol-tree-exponential": "check_policy",  # its limit for the size of the tree
}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("fault", "extension", "level", "lines"), READ)
def test_the_policies_are_those_of_the_fault(
    catalogue: Environment, fault: str, extension: str, level: int | None, lines: list[str]
) -> None:
    assert extension_text(catalogue, fault, extension, level)[1:] == lines


@pytest.mark.needs("openssl")
def test_policy_extensions_of_cas_are_critical_except_one(catalogue: Environment) -> None:
    for fault, extension in CRITICAL.items():
        assert extension_text(catalogue, fault, extension, 0)[0].endswith(": critical"), fault
    (title, _) = extension_text(catalogue, "pol-constraints-noncritical", "policyConstraints", 0)
    assert title == "X509v3 Policy Constraints:"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("fault", [one for one in FAULTS if one.startswith("pol-")])
def test_openssl_rejects_the_cases_when_it_processes_policies(catalogue: Environment, fault: str) -> None:
    assert openssl_says(catalogue, fault) == ""
    error = openssl_says(catalogue, fault, *PROCESSING)
    assert PROCESSED[fault] in error if fault in PROCESSED else error == ""


@pytest.mark.needs("certtool")
def test_certtool_rejects_critical_extensions_that_it_does_not_process(catalogue: Environment) -> None:
    refused = {"pol-require-explicit-unmet", "pol-constraints-empty", "pol-mapping-any"}
    refused |= {"pol-inhibit-any-unmet", "pol-mapping-inhibited", "pol-tree-exponential"}
    ours = {one for one in FAULTS if one.startswith("pol-")}
    assert {one for one in ours if not certtool_accepts(catalogue, one)} == refused


@pytest.mark.needs("openssl")
def test_only_the_required_policy_is_missing(tmp_path_factory: pytest.TempPathFactory) -> None:
    def with_policy(case: Case) -> Case:
        return put(case, oids.CERTIFICATE_POLICIES, der.sequence(der.sequence(der.oid(OWN))))

    fault = "pol-require-explicit-unmet"
    met = build_changed(tmp_path_factory.mktemp("met"), [fault], with_policy)
    assert openssl_says(met, fault, *PROCESSING) == ""
