"""Shipped profiles: found by name, valid, and distinguished from files with the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.documents import shipped
from pkigen.errors import InputError
from pkigen.profile import load


@pytest.mark.parametrize(
    ("name", "authorities", "certificates"),
    [("minimal", 1, 1), ("defender-iot", 2, 23), ("deep-hierarchy", 5, 2)],
)
def test_a_shipped_profile_has_its_described_contents(name: str, authorities: int, certificates: int) -> None:
    loaded = load(name)
    assert (len(loaded.authorities), loaded.count) == (authorities, certificates)


def test_another_base_url_replaces_that_of_the_profile() -> None:
    loaded = load("minimal", base_url="http://crl.contoso.test:8080")
    assert loaded.base_url == "http://crl.contoso.test:8080"
    with pytest.raises(InputError, match="base_url"):
        load("minimal", base_url="crl.contoso.test")


def test_the_key_zoo_has_every_kind_of_key() -> None:
    loaded = load("key-zoo")
    kinds = {spec.key for spec in [*loaded.authorities, *loaded.certificates()]}
    curves = {"ec-p256", "ec-p384", "ec-p521", "ed25519", "ed448"}
    assert {"rsa-2048", "rsa-3072", "rsa-4096", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"} | curves <= kinds


def test_the_deep_hierarchy_is_cross_certified() -> None:
    assert [spec.name for spec in load("deep-hierarchy").authorities if len(spec.issuers) > 1] == [
        "policy-ca"
    ]


@pytest.mark.parametrize("name", shipped.names())
def test_a_shipped_profile_is_a_base_for_others(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"extends: {name}\nname: mine\n")
    assert load(tmp_path / "mine.yaml").count == load(name).count


def test_a_file_takes_precedence_over_a_shipped_name_and_a_directory_does_not(tmp_path: Path) -> None:
    assert shipped.find("minimal", tmp_path) == shipped.path("minimal")
    (tmp_path / "minimal").mkdir()
    assert shipped.find("minimal", tmp_path) == shipped.path("minimal")
    (tmp_path / "minimal").rmdir()
    (tmp_path / "minimal").write_text("name: other\n")
    assert shipped.find("minimal", tmp_path) == tmp_path / "minimal"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("minimul", "minimul does not exist (did you mean the shipped profile 'minimal'?)"),
        ("nothing/like/it.yaml", "nothing/like/it.yaml does not exist"),
        ("a\0b", "a\\x00b"),
        ("a" * 5000, "aaaaaaaa ..."),
    ],
)
def test_an_unknown_profile_is_rejected(source: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(source)
    assert message in str(caught.value)


def test_an_unknown_shipped_name_gets_a_suggestion_or_all_names() -> None:
    with pytest.raises(InputError, match=r"did you mean 'key-zoo'\?"):
        shipped.path("keyzoo")
    with pytest.raises(InputError, match=r"there are ad-domain-controller, .*badssl-offline"):
        shipped.path("../../etc/passwd")
