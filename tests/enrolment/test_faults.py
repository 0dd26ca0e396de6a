"""The active faults of the enrollment server: counts, filters, their place in profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.enrolment import serve_enrolment
from pkigen.enrolment.faults import EnrolmentFaults
from pkigen.environment.build.build import build
from pkigen.errors import InputError
from pkigen.faults import ENROLMENT_FAULTS, FAULTS, parse_faults
from pkigen.profile import load
from tests.enrolment.conftest import PROFILE


def _taken(faults: EnrolmentFaults, endpoint: str = "simpleenroll", name: str = "d.contoso.test") -> bool:
    return faults.take("est-pending", template="sensors", endpoint=endpoint, identifiers=[name]) is not None


def test_a_fault_applies_the_given_number_of_times() -> None:
    faults = EnrolmentFaults()
    faults.put({"est-pending": {"times": 2}})
    assert [_taken(faults) for _ in range(3)] == [True, True, False]
    assert faults.all() == ()


def test_a_fault_without_a_number_applies_until_it_is_removed() -> None:
    faults = EnrolmentFaults()
    faults.put("est-pending")
    assert [_taken(faults) for _ in range(3)] == [True] * 3
    faults.clear(id="est-pending")
    assert not _taken(faults)


def test_a_fault_applies_to_its_operation_and_name_alone() -> None:
    faults = EnrolmentFaults()
    faults.put({"est-pending": {"endpoint": "simpleenroll", "identifier": "*.Contoso.test"}})
    assert _taken(faults)
    assert not _taken(faults, endpoint="simplereenroll")
    assert not _taken(faults, name="d.other.test")


def test_a_fault_of_a_template_does_not_apply_to_another() -> None:
    faults = EnrolmentFaults()
    faults.put("est-pending", template="gauges")
    assert not _taken(faults)


def test_the_same_fault_with_the_same_filter_is_replaced() -> None:
    faults = EnrolmentFaults()
    faults.put({"est-pending": {"times": 5}})
    faults.put({"est-pending": {"times": 1}})
    faults.put({"est-pending": {"endpoint": "serverkeygen"}})
    assert [one.left for one in faults.all()] == [None, 1]


def test_a_fault_of_a_certificate_is_for_the_certificate_to_issue() -> None:
    faults = EnrolmentFaults()
    faults.put({"expired": {"by": "2d", "times": "1"}})
    [request] = faults.certificate_faults(template="sensors", endpoint="simpleenroll")
    assert (request.type, request.arguments) == (FAULTS["expired"], (("by", "2d"),))
    assert faults.certificate_faults(template="sensors", endpoint="simpleenroll") == ()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("est-pendin", "did you mean 'est-pending'"),
        ({"est-pending": {"times": 0}}, "not a number from 1"),
        ({"est-pending": {"after": "soon"}}, "parameter 'after'"),
        ({"cmp-error": {"failure": "badalg"}}, "'badalg' is not one of badAlg, badMessageCheck"),
        ({"est-line-endings": {"ending": "none"}}, "'none' is not one of crlf, lf, cr"),
        ({"est-pending": {"color": "red"}}, "has no parameter 'color'"),
        ({"est-pending": "3"}, "must be a mapping"),
        (3, "no such fault"),
    ],
)
def test_an_invalid_fault_is_an_input_error(value: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        EnrolmentFaults().put(value)


def test_a_fault_of_the_server_is_no_fault_of_a_certificate() -> None:
    with pytest.raises(ValueError, match="est-pending is a fault of the enrollment server"):
        parse_faults("est-pending")


def test_the_faults_of_a_profile_are_those_of_its_templates(tmp_path: Path) -> None:
    faults = "passphrase: wonderful, faults: [est-raw-der, {est-pending: {times: 3, after: 5s}}]"
    (tmp_path / "devices.yaml").write_text(PROFILE.replace("passphrase: wonderful", faults))
    with serve_enrolment(build(load(tmp_path / "devices.yaml"), tmp_path).folder) as server:
        active = {one.id: one for one in server.faults.all()}
    assert active.keys() == {"est-raw-der", "est-pending"}
    assert {one.template for one in active.values()} == {"sensors"}
    assert (active["est-pending"].left, active["est-pending"].source) == (3, "profile")


def test_an_unknown_fault_in_a_profile_is_reported_with_its_place(tmp_path: Path) -> None:
    faults = "passphrase: wonderful, faults: [est-rawder]"
    (tmp_path / "devices.yaml").write_text(PROFILE.replace("passphrase: wonderful", faults))
    with pytest.raises(InputError, match=r"devices.yaml:18:.*did you mean 'est-raw-der'"):
        load(tmp_path / "devices.yaml")


@pytest.mark.parametrize("protocol", ["est", "scep", "cmp"])
def test_the_page_of_a_protocol_lists_its_faults(protocol: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / "enrolment" / f"{protocol}.md").read_text("utf-8")
    assert not [one for one in ENROLMENT_FAULTS if one.startswith(f"{protocol}-") and f"`{one}`" not in text]


@pytest.mark.parametrize("fault", ENROLMENT_FAULTS.values(), ids=lambda fault: fault.id)
def test_each_fault_has_a_text_and_a_clause(fault: object) -> None:
    known = next(one for one in ENROLMENT_FAULTS.values() if one is fault)
    assert (known.family, known.stage) == (known.id.partition("-")[0], "enrolment")
    assert known.clause.startswith("RFC ")
    assert known.says.endswith(".")
    assert known.shows
    assert known.id not in FAULTS
