"""Faults of names, serial numbers and times: the one thing that they say is wrong, and no other."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.asn1 import der
from pkigen.asn1.names import COMMON_NAME, values
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS, Case, Impossible
from pkigen.plan.sample import case_of
from pkigen.profile import load
from tests.faults.conftest import PROFILE
from tests.tools import run

_FAULTS = ("chain-name-rdn-order", "cn-duplicate", "serial-21-octets", "time-fraction")


def _base(common_name: str, **authority: Any) -> Case:
    sensor = {
        **PROFILE["certificates"]["sensor"],
        "subject": {"CN": common_name},
        "san": ["dns:sensor.contoso.test"],
    }
    authorities = {**PROFILE["authorities"]}
    authorities["issuing"] = {**authorities["issuing"], **authority}
    profile = {**PROFILE, "authorities": authorities, "certificates": {"sensor": sensor}, "negatives": []}
    return case_of(load(profile), datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    negatives = [{"of": "sensor", "faults": list(_FAULTS)}]
    return build({**PROFILE, "negatives": negatives}, tmp_path_factory.mktemp("forms"))


def _certificate(environment: Environment, fault: str) -> Path:
    return environment[f"sensor.{fault}"].certificate


@pytest.mark.parametrize(
    "subject", [{"CN": "Lone"}, {"C": "US", "CN": "Two"}], ids=["one attribute", "two attributes"]
)
def test_a_reordered_issuer_has_the_same_attributes_as_its_ca(subject: dict[str, str]) -> None:
    made = FAULTS["chain-name-rdn-order"].change(_base("a.test", subject=subject))
    subject_of_ca = made.authorities[0].certificates[0].subject
    assert made.plan.issuer != subject_of_ca
    assert sorted(made.plan.issuer, key=repr) == sorted(subject_of_ca, key=repr)


@pytest.mark.needs("openssl")
def test_openssl_does_not_find_the_reordered_issuer(environment: Environment) -> None:
    case = environment["sensor.chain-name-rdn-order"]
    (issuer, *_) = (environment.folder / f"authorities/{name}/{name}.crt" for name in case.data["path"])
    order = ("-nameopt", "multiline,-esc_msb", "-noout")
    issuer_lines = run("openssl", "x509", "-issuer", *order, "-in", case.certificate).splitlines()[1:]
    subject_lines = run("openssl", "x509", "-subject", *order, "-in", issuer).splitlines()[1:]
    assert issuer_lines == subject_lines[::-1] != subject_lines


@pytest.mark.parametrize(
    ("name", "letter"), [("sensor.contoso.test", "e"), ("xn.test", "x"), ("bad.test", "a"), ("grizzly", "y")]
)
def test_a_letter_is_replaced_by_its_homoglyph(name: str, letter: str) -> None:
    made = FAULTS["cn-homograph"].change(_base(name))
    (changed,) = values(made.plan.subject, COMMON_NAME)
    (other,) = (one for one in changed if not one.isascii())
    assert changed.replace(other, letter, 1) == name
    assert "\N{CYRILLIC SMALL LETTER A}" <= other <= "\N{CYRILLIC SMALL LETTER YA}"


def test_a_name_without_a_letter_with_a_homoglyph_is_impossible() -> None:
    with pytest.raises(Impossible, match="no letter"):
        FAULTS["cn-homograph"].change(_base("big.fm"))


@pytest.mark.needs("openssl")
def test_both_of_two_common_names_are_alternative_names(environment: Environment) -> None:
    text = run("openssl", "x509", "-noout", "-text", "-in", _certificate(environment, "cn-duplicate"))
    names = re.findall(r"CN ?= ?([^,\n]+)", next(line for line in text.splitlines() if "Subject:" in line))
    assert len(names) == 2
    assert all(f"DNS:{name}" in text for name in names)


@pytest.mark.needs("openssl")
def test_a_serial_number_of_21_bytes_has_21_besides_the_sign_byte(environment: Environment) -> None:
    text = run("openssl", "asn1parse", "-in", _certificate(environment, "serial-21-octets"))
    serial = next(line for line in text.splitlines() if "INTEGER" in line and "d=2" in line)
    assert re.search(r"l= *22 .*:[89A-F]", serial), serial


@pytest.mark.needs("openssl")
def test_a_fraction_is_the_only_defect_of_a_generalized_time(environment: Environment) -> None:
    text = run("openssl", "asn1parse", "-in", _certificate(environment, "time-fraction"))
    (end,) = re.findall(r"GENERALIZEDTIME +:(\S+)", text)
    assert re.fullmatch(r"20[5-9]\d{11}\.5Z", end), end


def test_a_not_after_date_after_2050_is_kept() -> None:
    base = _base("a.test").change(not_after=datetime(2060, 5, 4, 3, 2, 1, tzinfo=UTC))
    made = FAULTS["time-fraction"].change(base)
    assert [edit.data for edit in made.plan.edits] == [der.tlv(der.GENERALIZED_TIME, b"20600504030201.5Z")]
