"""Policy processing: each case has the verdict of RFC 5280 and of ``openssl verify -policy_check``."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from pkigen.asn1 import der, oids
from pkigen.errors import InputError
from pkigen.inspection.path import PathResult, PolicyOptions, policy_oids, validate
from tests.inspection.path.hierarchies import NOW, Entity, issue

ANY = oids.ANY_POLICY
P1, P2, P3 = "1.2.3.1", "1.2.3.2", "1.2.3.3"
NONE: tuple[x509.ExtensionType, ...] = ()
DEFAULTS = PolicyOptions()


def policies(*identifiers: str) -> tuple[x509.ExtensionType, ...]:
    """Return the extension certificatePolicies."""
    return (x509.CertificatePolicies([x509.PolicyInformation(_oid(one), None) for one in identifiers]),)


def require(*, explicit: int | None = None, no_mapping: int | None = None) -> tuple[x509.ExtensionType, ...]:
    return (x509.PolicyConstraints(explicit, no_mapping),)


def require_nothing() -> tuple[x509.ExtensionType, ...]:
    return (x509.UnrecognizedExtension(_oid(oids.POLICY_CONSTRAINTS), b"\x30\x00"),)


def mappings(*pairs: tuple[str, str]) -> tuple[x509.ExtensionType, ...]:
    value = der.sequence(*(der.sequence(der.oid(one), der.oid(other)) for one, other in pairs))
    return (x509.UnrecognizedExtension(_oid(oids.POLICY_MAPPINGS), value),)


def inhibit_any(skip: int) -> tuple[x509.ExtensionType, ...]:
    return (x509.InhibitAnyPolicy(skip),)


def _oid(dotted: str) -> x509.ObjectIdentifier:
    return x509.ObjectIdentifier(dotted)


def options(
    *identifiers: str, explicit: bool = True, mapping: bool = True, any_: bool = True
) -> PolicyOptions:
    return PolicyOptions(frozenset(identifiers), explicit, not mapping, not any_)


@dataclass(frozen=True)
class Case:
    """The extensions of the CAs from the top down and of the end-entity certificate, and the options."""

    cas: tuple[tuple[x509.ExtensionType, ...], ...]
    leaf: tuple[x509.ExtensionType, ...]
    options: PolicyOptions = DEFAULTS
    self_issued: frozenset[int] = frozenset()

    def build(self) -> list[Entity]:
        """Return the end-entity certificate, its CAs and the root, in this order."""
        path = [issue("Policy Root", ca=True)]
        for number, extensions in enumerate(self.cas):
            issuer = path[-1]
            own = number in self.self_issued
            subject = issuer.certificate.subject if own else None
            path.append(issue(f"CA {number}", issuer, *extensions, ca=True, subject=subject))
        path.append(issue("leaf", path[-1], *self.leaf))
        return path[::-1]


CASES = {
    "an unmet requireExplicitPolicy": (Case((policies(P1) + require(explicit=0),), NONE), False),
    "a met requireExplicitPolicy": (Case((policies(P1) + require(explicit=0),), policies(P1)), True),
    "a CA without policies above a leaf with one": (Case((require(explicit=0),), policies(P1)), False),
    "requireExplicitPolicy of the leaf itself": (Case((NONE,), require(explicit=0)), False),
    "requireExplicitPolicy that begins below the leaf": (Case((require(explicit=2),), NONE), True),
    "no policy and none required": (Case((NONE,), NONE), True),
    "an explicit policy required by the user": (Case((NONE,), NONE, options()), False),
    "another policy than the user's": (Case((policies(P1),), policies(P1), options(P2)), False),
    "one of the user's policies": (Case((policies(P1, P2),), policies(P1), options(P1, P3)), True),
    "the user's policies without a requirement": (
        Case((policies(P1),), policies(P1), options(P2, explicit=False)),
        True,
    ),
    "anyPolicy on the whole path": (Case((policies(ANY),), policies(ANY), options(P2)), True),
    "anyPolicy above the policy": (Case((policies(ANY),), policies(P1), options(P1)), True),
    "anyPolicy inhibited by the user": (
        Case((policies(ANY),), policies(P1), options(P1, any_=False)),
        False,
    ),
    "anyPolicy inhibited by a CA": (
        Case((policies(ANY) + inhibit_any(0),), policies(ANY), options()),
        False,
    ),
    "anyPolicy in a self-issued CA though inhibited": (
        Case(
            (policies(P1) + inhibit_any(0), policies(ANY)),
            policies(P1),
            options(),
            self_issued=frozenset((1,)),
        ),
        True,
    ),
    "disjoint policies": (Case((policies(P1), policies(P2)), policies(P2), options()), False),
    "a mapped policy": (Case((policies(P1) + mappings((P1, P2)),), policies(P2), options(P1)), True),
    "the unmapped name of a mapped policy": (
        Case((policies(P1) + mappings((P1, P2)),), policies(P1), options(P1)),
        False,
    ),
    "the user's policy in the mapped domain": (
        Case((policies(P1) + mappings((P1, P2)),), policies(P2), options(P2)),
        False,
    ),
    "a policy mapped to two": (
        Case((policies(P1) + mappings((P1, P2), (P1, P3)),), policies(P3), options(P1)),
        True,
    ),
    "a mapping of a policy that only anyPolicy covers": (
        Case((policies(ANY) + mappings((P1, P2)),), policies(P2), options(P1)),
        True,
    ),
    "mapping inhibited by the user": (
        Case((policies(P1) + mappings((P1, P2)),), policies(P2), options(mapping=False)),
        False,
    ),
    "mapping inhibited by a CA": (
        Case(
            (policies(P1) + require(no_mapping=0), policies(P1) + mappings((P1, P2))), policies(P2), options()
        ),
        False,
    ),
    "empty policy constraints": (Case((policies(P1) + require_nothing(),), policies(P1)), False),
    "a mapping from anyPolicy": (Case((policies(ANY) + mappings((ANY, P1)),), policies(P1)), False),
    "a mapping to anyPolicy": (Case((policies(P1) + mappings((P1, ANY)),), policies(P1)), False),
}


def validated(path: list[Entity], options: PolicyOptions) -> PathResult:
    leaf, *cas, root = (entity.parsed for entity in path)
    return validate(leaf, cas, [root], at=NOW, policy=options)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("title", CASES)
def test_a_path_has_the_policy_verdict_of_openssl(title: str, tmp_path: Path) -> None:
    case, accepted = CASES[title]
    path = case.build()
    result = validated(path, case.options)
    assert (result.ok, _by_openssl(path, case.options, tmp_path)) == (accepted, accepted), result.problems
    assert {problem.rule for problem in result.problems} <= {"policy"}


def _by_openssl(path: list[Entity], options: PolicyOptions, folder: Path) -> bool:
    files = [entity.write(folder / f"{number}.pem") for number, entity in enumerate(path)]
    command = ["openssl", "verify", "-attime", str(int(NOW.timestamp())), "-policy_check"]
    command += ["-explicit_policy"] * options.require_explicit_policy
    command += ["-inhibit_map"] * options.inhibit_mapping + ["-inhibit_any"] * options.inhibit_any_policy
    for policy in options.policies or {ANY}:
        command += ["-policy", policy]
    command += ["-CAfile", str(files[-1]), *(f"-untrusted={file}" for file in files[1:-1])]
    command = re.sub("-untrusted=", "-untrusted ", " ".join(command)).split()
    return subprocess.run([*command, str(files[0])], capture_output=True, check=False).returncode == 0


def test_the_message_states_the_policies_of_the_path_and_the_expected_ones() -> None:
    case = Case((policies(P1),), policies(P1), options(P2, P3))
    (problem,) = validated(case.build(), case.options).problems
    assert (problem.rule, problem.depth, problem.code) == ("policy", 0, 43)
    assert problem.message.endswith(f"(the path is valid for {P1}, not for {P2} or {P3})")


@pytest.mark.parametrize(
    ("ca", "leaf"), [(policies(P1) + require(explicit=0), NONE), (NONE, require(explicit=0))]
)
def test_the_message_states_that_a_policy_is_required(
    ca: tuple[x509.ExtensionType, ...], leaf: tuple[x509.ExtensionType, ...]
) -> None:
    case = Case((ca,), leaf)
    (problem,) = validated(case.build(), case.options).problems
    assert (problem.rule, problem.depth, problem.code) == ("policy", 0, 43)
    assert problem.message.endswith("(an explicit policy is required)")


def test_a_policy_that_occurs_twice_is_an_invalid_extension() -> None:
    value = der.sequence(*(der.sequence(der.oid(P1)),) * 2)
    twice = (x509.UnrecognizedExtension(_oid(oids.CERTIFICATE_POLICIES), value),)
    (problem,) = validated(Case((policies(P1),), twice).build(), DEFAULTS).problems
    assert (problem.rule, problem.depth, problem.code) == ("policy", 0, 42)


def test_a_policy_extension_that_cannot_be_decoded_makes_the_path_invalid() -> None:
    bad = (x509.UnrecognizedExtension(_oid(oids.POLICY_CONSTRAINTS), b"\x30\x03\x80\x01\xff"),)
    (problem,) = validated(Case((bad,), policies(P1)).build(), DEFAULTS).problems
    assert (problem.rule, problem.depth) == ("malformed", 1)
    assert "negative number of certificates" in problem.message


def test_crosswise_mappings_on_a_long_path_cost_little() -> None:
    """CVE-2023-0464: a policy tree doubles with each of these CAs; the graph has two nodes for each."""
    cross = policies(P1, P2) + mappings((P1, P1), (P1, P2), (P2, P1), (P2, P2))
    case = Case((cross,) * 40, policies(P1), options(P1))
    assert validated(case.build(), case.options).ok


@pytest.mark.parametrize("text", ["", "anyPolicy", "1.2.3.", "3.1.2", "1.40.1", "1.2.x", "1.02.3"])
def test_a_policy_that_is_not_an_oid_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="is not an OID"):
        policy_oids([text])


def test_any_policy_among_the_initial_policies_means_every_policy() -> None:
    assert policy_oids([P1, ANY]) == policy_oids([]) == frozenset()
    assert policy_oids([P1, P2]) == {P1, P2}
