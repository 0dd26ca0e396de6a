"""Relations between the certificates of one environment: in the plan, in the check, and in its cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import InputError
from pkigen.inspection.check import CheckOptions, check_environment, check_files
from pkigen.requirements import load_set
from pkigen.requirements.subject import PeerGroup
from tests.environment.profiles import build_it, manifest

SET = """
name: cluster
title: Cluster
source: {title: Documentation, date: "2026"}
roles: {node: {says: A node}, user: {says: A user}}
requirements:
  - id: same-ca
    demand: {relation: {role: node, same: [issuer]}}
    level: rejected
    says: One CA issues all certificates.
  - id: same-unit
    demand: {relation: {role: node, same: [OU]}}
    for: node
    level: rejected
    says: All nodes have the same unit.
  - id: other-unit
    demand: {relation: {role: node, different: [OU]}}
    for: user
    level: rejected
    says: A user is not in the unit of the nodes.
"""


def _document(folder: Path) -> dict[str, Any]:
    path = folder / "cluster.yaml"
    path.write_text(SET)

    def entity(role: str, unit: str, issuer: str = "issuing") -> dict[str, Any]:
        own = [{"set": str(path), "role": role}]
        return {"issuer": issuer, "subject": {"OU": unit}, "requirements": own}

    return {
        "name": "cluster-1",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}, "other": {"issuer": "root"}},
        "certificates": {
            "node-a": entity("node", "Nodes"),
            "node-b": entity("node", "Nodes"),
            "user": entity("user", "Users"),
            "bystander": {"issuer": "other", "subject": {"OU": "Nodes"}},
        },
        "negatives": [
            {"of": "node-b", "against": {"set": str(path), "role": "node"}},
            {"of": "user", "against": {"set": str(path), "role": "user"}},
        ],
    }


def test_each_case_violates_one_relation(tmp_path: Path) -> None:
    folder = build_it(_document(tmp_path), tmp_path / "out").folder
    results = check_environment(folder, None, CheckOptions())
    violated = {one.name: [finding.requirement.id for finding in one.broken] for one in results}
    cases = {case["name"]: case.get("fault", {}).get("violates", []) for case in manifest(folder)["cases"]}
    assert violated == cases
    assert set(cases) - {"node-a", "node-b", "user", "bystander"} == {
        "node-b.same-ca-other-issuer",
        "node-b.same-unit-other-ou",
        "user.same-ca-other-issuer",
        "user.other-unit-same-ou",
    }


@pytest.mark.parametrize(
    ("name", "field", "value", "requirement"),
    [
        ("node-b", "issuer", "other", "same-ca"),
        ("node-b", "subject", {"OU": "Others"}, "same-unit"),
        ("user", "subject", {"OU": "Nodes"}, "other-unit"),
    ],
)
def test_a_plan_that_violates_a_relation_is_an_error(
    name: str, field: str, value: Any, requirement: str, tmp_path: Path
) -> None:
    document = _document(tmp_path)
    document["certificates"][name][field] = value
    del document["negatives"]
    with pytest.raises(InputError, match=requirement):
        build_it(document, tmp_path / "out")


def test_the_values_of_a_role_are_read_once_for_all_comparisons() -> None:
    read = list[int]()

    class _Counted:
        def __init__(self, number: int) -> None:
            self.der = bytes([number])

    def value(one: Any) -> Any:
        read.append(one.der[0])
        return one.der[0] % 3

    group = PeerGroup(_Counted(number) for number in range(9))  # type: ignore[misc]
    groups = [group.by_value("unit", value) for _ in range(9)]
    assert read == list(range(9))
    assert {key: len(every) for key, every in groups[-1].items()} == {0: 3, 1: 3, 2: 3}


def test_a_relation_is_undecided_for_a_single_file(tmp_path: Path) -> None:
    folder = build_it(_document(tmp_path), tmp_path / "out").folder
    demands = load_set(f"{tmp_path}/cluster.yaml:node")
    (result,) = check_files([folder / "certificates/node-a/node-a.crt"], [demands], CheckOptions())
    assert [finding.outcome.undecided for finding in result.findings] == [True, True]


@pytest.mark.parametrize(
    ("demand", "words"),
    [
        ("{role: nodes, same: [OU]}", "did you mean 'node'"),
        ("{role: node}", "no condition given"),
        ("{role: node, same: [OU], different: [OU]}", "both have OU"),
        ("{role: node, same: [unit]}", "no such subject attribute"),
    ],
)
def test_a_contradictory_relation_is_an_error_with_its_line(demand: str, words: str, tmp_path: Path) -> None:
    text = SET.partition("requirements:")[0]
    text += f"requirements: [{{id: a, level: advice, says: A., demand: {{relation: {demand}}}}}]\n"
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(InputError, match=words) as raised:
        load_set(f"{tmp_path}/own.yaml:node")
    assert raised.value.problems[0].location is not None
