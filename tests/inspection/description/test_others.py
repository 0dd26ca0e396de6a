"""Keys, requests, containers, and what is none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.inspection.description import RelationKind
from tests import tools
from tests.inspection.description.conftest import described, one, values

pytestmark = pytest.mark.needs("openssl")


@pytest.mark.parametrize(
    ("name", "form", "kind"),
    [
        ("leaf.key", "PKCS#8", "RSA, 2048 bits, public exponent 3"),
        ("pkcs1.key", "PKCS#1", "RSA, 2048 bits, public exponent 3"),
        ("ca.key", "PKCS#8", "EC, P-256, 256 bits"),
        ("sec1.key", "SEC 1", "EC, P-256, 256 bits"),
    ],
)
def test_a_keys_format_and_kind_are_reported(made: Path, name: str, form: str, kind: str) -> None:
    description = one(made / name)
    assert (description.data["format"], description.data["encrypted"], description.data["opened"]) == (
        form,
        False,
        True,
    )
    assert values(description, "public_key") == (kind,)


def test_an_encrypted_key_is_reported_and_decrypted_with_its_passphrase(made: Path) -> None:
    closed = one(made / "sealed.key")
    assert closed.readable
    assert values(closed, "encrypted") == ("encrypted; use --passphrase-file FILE",)
    assert closed.data["public_key"] is None
    opened = one(made / "sealed.key", passphrases=(b"geheim",))
    assert (opened.data["encrypted"], opened.data["opened"]) == (True, True)
    assert opened.data["spki_sha256"] == one(made / "leaf.key").data["spki_sha256"]
    wrong = one(made / "sealed.key", passphrases=(b"wrong",))
    assert not wrong.readable
    assert "passphrase is wrong" in wrong.data["problem"]


def test_a_public_key_has_the_pin_of_its_private_one(made: Path) -> None:
    description = one(made / "leaf.pub")
    assert description.data["kind"] == "public_key"
    assert description.data["spki_sha256"] == one(made / "leaf.key").data["spki_sha256"]


def test_a_request_is_described_with_its_names_and_proof_of_possession(made: Path, tmp_path: Path) -> None:
    description = one(made / "leaf.csr")
    assert description.data["subject"] == "C=DE, O=Prüfstelle, CN=leaf"
    assert values(description, "2.5.29.19") == ("a CA, path length 1",)
    assert description.data["signature"] == "good"
    text = (made / "leaf.csr").read_text().splitlines()
    text[-2] = text[-2][:2] + ("B" if text[-2][2] != "B" else "C") + text[-2][3:]
    broken = tmp_path / "broken.csr"
    broken.write_text("\n".join(text) + "\n")
    assert one(broken).data["signature"] == "bad"


def test_the_objects_of_a_pkcs12_are_listed_in_order(made: Path) -> None:
    descriptions = described(made / "leaf.p12", passphrases=(b"geheim",)).descriptions
    assert [each.data["kind"] for each in descriptions] == ["key", "certificate", "certificate"]
    assert [each.data["friendly_name"] for each in descriptions[1:]] == ["the-console", None]
    assert {each.data["encoding"] for each in descriptions} == {"PKCS#12"}


def test_an_encrypted_pkcs12_is_reported_with_the_option_for_its_passphrase(made: Path) -> None:
    closed = one(made / "leaf.p12")
    assert closed.readable
    assert values(closed, "problem") == ("encrypted; use --passphrase-file FILE",)
    assert not one(made / "leaf.p12", passphrases=(b"wrong",)).readable


def test_bag_attributes_in_pem_are_reported(made: Path) -> None:
    descriptions = described(made / "bags.pem").descriptions
    assert "friendlyName: the-console" in values(descriptions[0], "bag_attributes")
    assert all("subject" not in line for each in descriptions for line in each.data["bag_attributes"])


def test_the_objects_of_a_pkcs7_are_listed_in_order(made: Path) -> None:
    descriptions = described(made / "both.p7b").descriptions
    assert sorted(each.data["subject"] for each in descriptions) == [
        "C=DE, O=Prüfstelle, CN=ca",
        "C=DE, O=Prüfstelle, CN=leaf",
    ]


@pytest.mark.parametrize(
    "data", [b"", b"no certificate at all", b"-----BEGIN FOO-----\nAAAA\n-----END FOO-----\n"]
)
def test_unknown_data_is_described_as_unknown(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "thing"
    path.write_bytes(data)
    description = one(path)
    assert (description.data["kind"], description.readable) == ("unknown", False)
    assert values(description, "problem") == (description.data["problem"],)


def test_keys_and_issuers_are_matched_to_certificates(made: Path) -> None:
    names = ("leaf.crt", "leaf.key", "leaf.csr", "ca.crt", "ca.key", "ca.crl", "leaf.der")
    overview = described(*(made / name for name in names))
    relations = {(names[one.subject], one.kind, names[one.object]) for one in overview.relations}
    assert relations == {
        ("leaf.key", RelationKind.KEY_OF, "leaf.crt"),
        ("leaf.key", RelationKind.KEY_OF, "leaf.csr"),
        ("leaf.key", RelationKind.KEY_OF, "leaf.der"),
        ("ca.key", RelationKind.KEY_OF, "ca.crt"),
        ("leaf.crt", RelationKind.ISSUED_BY, "ca.crt"),
        ("ca.crl", RelationKind.ISSUED_BY, "ca.crt"),
        ("leaf.der", RelationKind.SAME_AS, "leaf.crt"),
    }
    assert values(overview.descriptions[1], "belongs_to") == tuple(
        str(made / name) for name in ("leaf.crt", "leaf.csr", "leaf.der")
    )
    tie = overview.descriptions[0].data["relations"][0]
    assert (tie["relation"], tie["index"], tie["file"]) == ("issued_by", 3, str(made / "ca.crt"))


def test_a_signature_by_another_key_of_that_name_is_reported(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.crt"
    command = ("openssl", "req", "-x509", "-noenc", "-newkey", "ed25519", "-keyout", tmp_path / "other.key")
    tools.run(*command, "-config", made / "ca.cnf", "-extensions", "ca", "-out", other)
    overview = described(made / "leaf.crt", other)
    assert [(one.subject, one.kind, one.object) for one in overview.relations] == [
        (0, RelationKind.NOT_ISSUED_BY, 1)
    ]
    both = described(made / "leaf.crt", other, made / "ca.crt")
    assert [(one.subject, one.kind, one.object) for one in both.relations] == [(0, RelationKind.ISSUED_BY, 2)]


def test_the_number_of_compared_pairs_is_limited(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert described(made / "leaf.crt", made / "ca.crt").complete
    monkeypatch.setattr("pkigen.inspection.description.relations.MAX_VERIFICATIONS", 0)
    overview = described(made / "leaf.crt", made / "ca.crt")
    assert (overview.complete, overview.relations) == (False, ())


def test_a_key_without_a_certificate_is_described_as_such(made: Path) -> None:
    key, _ = described(made / "ca.key", made / "leaf.crt").descriptions
    assert values(key, "belongs_to") == ("nothing among these files",)
