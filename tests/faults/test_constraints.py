"""CAs between the issuing CA and the end entity, checked by openssl."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, with_attribute
from pkigen.cases.extension_values import put
from pkigen.environment.environment import Environment
from tests.faults.judging import (
    authority_file,
    build_changed,
    case_of,
    certtool_accepts,
    extension_text,
    openssl_says,
)
from tests.tools import run


def _subjects(environment: Environment, fault: str) -> list[str]:
    files = (authority_file(environment, name) for name in case_of(environment, fault)["path"])
    return [run("openssl", "x509", "-noout", "-subject", "-in", file).strip() for file in files]


@pytest.mark.needs("openssl")
def test_a_self_issued_authority_is_exempt_from_the_path_length(catalogue: Environment) -> None:
    fault = "bc-pathlen-self-issued"
    below, limited, root = _subjects(catalogue, fault)
    assert below == limited != root
    assert extension_text(catalogue, fault, "basicConstraints", 1)[1:] == ["CA:TRUE, pathlen:0"]
    assert openssl_says(catalogue, fault) == ""


@pytest.mark.needs("openssl")
def test_the_exemption_depends_on_the_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    def under_another_name(case: Case) -> Case:
        return case.change_authority_plan(
            0, lambda plan: replace(plan, subject=with_attribute(plan.subject, "CN", "Another"))
        )

    other = build_changed(tmp_path_factory.mktemp("other"), ["bc-pathlen-self-issued"], under_another_name)
    assert "path length constraint exceeded" in openssl_says(other, "bc-pathlen-self-issued")


@pytest.mark.needs("openssl", "certtool")
def test_a_server_that_issues_is_rejected_only_because_it_is_no_ca(
    catalogue: Environment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fault = "leaf-issued-by-leaf"
    assert extension_text(catalogue, fault, "basicConstraints", 0)[1:] == ["CA:FALSE"]
    assert "invalid CA certificate" in openssl_says(catalogue, fault)
    assert not certtool_accepts(catalogue, fault)

    def made_a_ca(case: Case) -> Case:
        usages = der.named_bits(("keyCertSign", "cRLSign"), oids.KEY_USAGES)
        case = put(case, oids.KEY_USAGE, usages, critical=True, level=0)
        return put(case, oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)), critical=True, level=0)

    sound = build_changed(tmp_path_factory.mktemp("ca"), [fault], made_a_ca)
    assert openssl_says(sound, fault) == ""
    assert certtool_accepts(sound, fault)
